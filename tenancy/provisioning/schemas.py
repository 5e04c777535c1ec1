"""Schemas as such: their names, how one is entered before it has a tenant, and how one is dropped."""

import re
import secrets

from django.db import connection

from platform_site.binding import TenantRef
from platform_site.ids import uuid7

# Random, never from the slug: a name that people choose could clash, be renamed, or tell.
TENANT_SCHEMA = re.compile(r"t_[0-9a-f]{16}")
TEMPLATE_SCHEMA = re.compile(r"tpl_[0-9a-f]{16}")


def new_schema_name() -> str:
    """The name of a schema for a new tenant."""
    return f"t_{secrets.token_hex(8)}"


def new_template_name() -> str:
    """The name of a template's schema; unmistakable, so that it can be searched for in the DDL."""
    return f"tpl_{secrets.token_hex(8)}"


def schema_ref(schema_name: str) -> TenantRef:
    """What ``bind`` needs to enter a schema that is no tenant's, or not yet."""
    return TenantRef(uuid7(), schema_name, schema_name, "provisioning")


def schemas_like(pattern: re.Pattern[str]) -> list[str]:
    """The names of the schemas that are there and fit ``pattern`` whole."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname ~ %s ORDER BY nspname", [rf"^{pattern.pattern}$"]
        )
        return [name for (name,) in cursor.fetchall()]


def drop_schema(schema_name: str) -> None:
    """Drop a tenant's or a template's schema with all that is in it. Missing ones are fine.

    Raises ``ValueError`` for any other name, because a mistake here cannot be taken back.
    """
    if not (TENANT_SCHEMA.fullmatch(schema_name) or TEMPLATE_SCHEMA.fullmatch(schema_name)):
        raise ValueError(f"{schema_name!r} is neither a tenant's schema nor a template's.")
    with connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {connection.ops.quote_name(schema_name)} CASCADE")
