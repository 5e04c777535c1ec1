from django.db import migrations

# What only the owner of the tables may do, and sign-ups and migrations need: the functions below belong to the
# owner. The application's role may call the first one, within its limits: a schema of a tenant's name, for a tenant
# that is there, by the script of the template, and nothing else.
_CREATE = """
CREATE OR REPLACE FUNCTION public.tenancy_create_schema(wanted text, template text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE script text;
BEGIN
    IF wanted !~ '^t_[0-9a-f]{16}$' OR NOT EXISTS (SELECT FROM public.tenancy_tenant WHERE schema_name = wanted) THEN
        RAISE EXCEPTION 'no tenant has the schema %', wanted;
    END IF;
    SELECT ddl INTO STRICT script FROM public.tenancy_schematemplate WHERE fingerprint = template;
    EXECUTE format('CREATE SCHEMA %I', wanted);
    -- Temporary tables last: whoever made one must not have it taken for a table of the tenant.
    PERFORM set_config('search_path', wanted || ', public, pg_temp', true);
    EXECUTE script;
    PERFORM public.tenancy_protect(wanted);
END
$function$
"""
_PROTECT = """
CREATE OR REPLACE FUNCTION public.tenancy_protect(wanted text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $function$
DECLARE protected record;
BEGIN
    FOR protected IN
        SELECT c.oid::regclass AS name, granted.grantee::regrole AS role,
               CASE c.relname WHEN 'journal_journalentry' THEN 'UPDATE, DELETE, TRUNCATE'
                              ELSE 'INSERT, UPDATE, DELETE, TRUNCATE' END AS rights
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL (SELECT DISTINCT grantee FROM aclexplode(c.relacl) WHERE grantee <> c.relowner) AS granted
        WHERE n.nspname = wanted AND c.relname IN ('journal_journalentry', 'django_migrations')
    LOOP
        EXECUTE format('REVOKE %s ON %s FROM %s', protected.rights, protected.name, protected.role);
    END LOOP;
END
$function$
"""


class Migration(migrations.Migration):
    """Sign-ups make schemas without the right to make any."""

    dependencies = [
        ("tenancy", "0005_paid_access"),
    ]

    operations = [
        migrations.RunSQL(_PROTECT, "DROP FUNCTION public.tenancy_protect(text)"),
        migrations.RunSQL(_CREATE, "DROP FUNCTION public.tenancy_create_schema(text, text)"),
        migrations.RunSQL(
            "REVOKE EXECUTE ON FUNCTION public.tenancy_create_schema(text, text) FROM PUBLIC",
            migrations.RunSQL.noop,
        ),
    ]
