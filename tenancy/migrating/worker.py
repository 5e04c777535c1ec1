"""A worker process of ``migrate_all``: tenants come in by standard input, outcomes go out.

One JSON object a line in both directions; the first one in says which database is meant, since
the parent may use another one than the environment names. The end of the input, also that of
a parent that was killed, ends the worker after the tenant that it has in hand.
"""

import json
import os
import sys
import time
from typing import IO, Any
from uuid import UUID

import structlog
from django.db import connection

from platform_site.binding import TenantRef
from tenancy.migrating.tenants import describe, migrate_tenant

log = structlog.get_logger(__name__)
DATABASE_SETTINGS = ("NAME", "HOST", "PORT", "USER", "PASSWORD")


def serve() -> None:
    """Migrate what comes in until the input ends."""
    answers = _take_standard_output()
    connection.close()
    connection.settings_dict.update(json.loads(sys.stdin.readline()))
    for line in sys.stdin:
        begun = time.monotonic()
        error = _migrate(_tenant_from(line))
        answers.write(json.dumps({"error": error, "seconds": round(time.monotonic() - begun, 3)}) + "\n")
        answers.flush()


def _take_standard_output() -> IO[str]:
    """Keep the pipe to the parent for answers; what migrations print goes to standard error."""
    sys.stdout.flush()
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return answers


def _migrate(tenant: TenantRef) -> str:
    try:
        migrate_tenant(tenant)
    except Exception as error:
        # One tenant's failure must not keep the others from being migrated.
        log.exception("tenancy.migration_failed", slug=tenant.slug, schema=tenant.schema_name)
        return describe(error)
    finally:
        # A backend keeps what it learned about each schema; a fresh one begins small.
        connection.close()
    return ""


def line_for(tenant: TenantRef) -> str:
    """One tenant as a line of input."""
    return json.dumps([str(tenant.id), tenant.schema_name, tenant.slug, tenant.status]) + "\n"


def _tenant_from(line: str) -> TenantRef:
    fields: list[Any] = json.loads(line)
    return TenantRef(UUID(fields[0]), *fields[1:])
