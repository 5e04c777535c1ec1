"""The two roles of an embedded PostgreSQL, and the data of older installations handed over to them.

``platform_owner`` owns the databases and whatever is in them, ``platform_app`` reads and writes rows.
The statements run before the server starts, in single-user mode, once for each data directory.
"""

OWNER, APPLICATION = "platform_owner", "platform_app"
# In the data directory, once these statements were run there.
MARKER = "platform-roles-1"

# The owner makes databases for tests, and may end the application's connections to drop them.
MAKE_ROLES = """
DO $$
BEGIN
    IF to_regrole('platform_app') IS NULL THEN
        CREATE ROLE platform_app LOGIN;
    END IF;
    IF to_regrole('platform_owner') IS NULL THEN
        CREATE ROLE platform_owner LOGIN CREATEDB IN ROLE platform_app;
    END IF;
END
$$;
"""

# Before there were two roles, everything belonged to the superuser.
HAND_OVER_DATABASES = """
DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT datname FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1') LOOP
        EXECUTE format('ALTER DATABASE %I OWNER TO platform_owner', name);
    END LOOP;
END
$$;
"""
HAND_OVER_OBJECTS = """
DO $$
DECLARE name text;
BEGIN
    FOR name IN
        SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
    LOOP
        EXECUTE format('ALTER SCHEMA %I OWNER TO platform_owner', name);
    END LOOP;
    FOR name IN
        SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO platform_owner', name);
    END LOOP;
END
$$;
"""
