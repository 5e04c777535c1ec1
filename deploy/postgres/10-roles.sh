#!/bin/sh
# The two roles and the database. Runs once, as the superuser, when PostgreSQL's data directory is made
# (compose.yaml mounts it into /docker-entrypoint-initdb.d); docs/deployment.md has the same for a server of one's own.
#
#   platform_owner  owns the database and every table; migrations and the worker's clearing up use it
#   platform_app    reads and writes rows, and may change no table; everything else uses it
#
# What exactly platform_app may do is granted by `manage.py migrate_all`, table by table.
set -eu


# By its standard input: on the command line everybody on the machine could read the passwords.
psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<SQL
\set owner_password \`cat "${OWNER_PASSWORD_FILE:-/run/secrets/postgres_owner_password}"\`
\set app_password \`cat "${APP_PASSWORD_FILE:-/run/secrets/postgres_app_password}"\`
CREATE ROLE platform_app LOGIN PASSWORD :'app_password';
CREATE ROLE platform_owner LOGIN PASSWORD :'owner_password' IN ROLE platform_app;
CREATE DATABASE platform OWNER platform_owner TEMPLATE template0 ENCODING 'UTF8';
REVOKE ALL ON DATABASE platform FROM PUBLIC;
GRANT CONNECT, TEMPORARY ON DATABASE platform TO platform_app;
\connect platform
ALTER SCHEMA public OWNER TO platform_owner;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO platform_app;
SQL
