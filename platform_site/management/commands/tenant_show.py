"""``manage.py tenant_show SLUG``"""

from argparse import ArgumentParser
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.core.management.base import CommandError
from django.db import DatabaseError, connection
from django.db.models import Count, Max

from accounts.models import User
from billing.selectors.status import billing_status
from platform_site.binding import bind
from platform_site.management.operator import USAGE, OperatorCommand
from platform_site.moments import wire_time
from platform_site.outbox.models import OutboxRow
from tenancy.management.tenants import as_json
from tenancy.migrating.history import migrations_fingerprint
from tenancy.migrating.tenants import describe
from tenancy.models import FormerSlug, Tenant, TenantMigration

ERRORS_SHOWN: Final = 5
_SIZE: Final = """
    SELECT count(*), coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = %s AND c.relkind = 'r'
"""


@dataclass(frozen=True, slots=True)
class Schema:
    """``tables`` 0: there is none, which is wrong for every tenant that is not deleted."""

    tables: int
    size: int


class Command(OperatorCommand):
    help = "Shows one tenant, found by its slug, a former slug or its id; also one that was purged."
    writes = False

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="the tenant's slug, a former one, or its id")

    def run(self, **options: Any) -> dict[str, Any]:
        tenant = _find(options["slug"])
        schema = _schema(tenant.schema_name)
        migration = TenantMigration.objects.filter(tenant_id=tenant.id).first()
        dead = OutboxRow.objects.filter(tenant_id=tenant.id, state=OutboxRow.State.DEAD)
        return {
            **as_json(tenant),
            "purgedAt": _when(tenant.purged_at),
            "formerSlugs": list(
                FormerSlug.objects.filter(tenant_id=tenant.id).order_by("-freed_at").values_list("slug", flat=True)
            ),
            "tables": schema.tables,
            "sizeBytes": schema.size,
            "schemaCurrent": tenant.schema_fingerprint == migrations_fingerprint(),
            "fingerprint": tenant.schema_fingerprint,
            "migration": _migration(migration),
            "deadLetters": dead.count(),
            "parked": OutboxRow.objects.filter(tenant_id=tenant.id, state=OutboxRow.State.PARKED).count(),
            "lastErrors": [
                {"kind": row.reaction, "error": row.last_error, "at": wire_time(row.available_at)}
                for row in dead.order_by("-available_at")[:ERRORS_SHOWN]
            ],
            **_inside(tenant, schema),
        }

    def text(self, result: dict[str, Any]) -> str:
        seats = result["seats"]
        people = ", ".join(f"{count} {status}" for status, count in result["people"].items())
        lines = {
            "slug": result["slug"],
            "name": result["name"],
            "id": result["id"],
            "status": result["status"],
            "reason": result["suspendedReason"] or result["deletionReason"],
            "to be deleted": result["deletionAt"] if not result["purgedAt"] else "",
            "purged": result["purgedAt"],
            "former slugs": ", ".join(result["formerSlugs"]),
            "plan": f"{result['plan']}, billing {result['billing']}" if result["billing"] else result["plan"],
            "seats": f"{seats['used']} of {seats['limit'] or 'any number'}" if seats else "",
            "people": people,
            "unreadable": result["unreadable"],
            "last sign-in": result["lastSignInAt"] or ("never" if people else ""),
            "created": result["createdAt"],
            "schema": f"{result['schema']}, {result['tables']} tables, {result['sizeBytes'] / 1024**2:.1f} MB",
            "migrations": _words(result),
            "dead letters": f"{result['deadLetters']}, parked {result['parked']}",
        }
        errors = [f"  {one['at']}  {one['kind']}  {one['error']}" for one in result["lastErrors"]]
        return "\n".join([*(f"{name:<16} {value}" for name, value in lines.items() if value), *errors])


def _find(text: str) -> Tenant:
    former = FormerSlug.objects.filter(slug=text).values_list("tenant_id", flat=True).first()
    found = Tenant.objects.filter(slug=text).first() or Tenant.objects.filter(id=former or _as_id(text)).first()
    if found is None:
        raise CommandError(f"There is no tenant {text!r}.", returncode=USAGE)
    tenant: Tenant = found
    return tenant


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _schema(name: str) -> Schema:
    with connection.cursor() as cursor:
        cursor.execute(_SIZE, [name])
        return Schema(*cursor.fetchone())


def _inside(tenant: Tenant, schema: Schema) -> dict[str, Any]:
    """What the tenant's own tables say. Where they are broken, that is told: somebody looks because of it."""
    nothing: dict[str, Any] = {"people": {}, "seats": None, "billing": "", "lastSignInAt": None}
    if not schema.tables:
        return {**nothing, "unreadable": "" if tenant.purged_at else "There is no schema."}
    try:
        with bind(tenant.ref):
            people = dict(User.objects.values_list("status").annotate(count=Count("id")).order_by("status"))
            last = User.objects.aggregate(last=Max("last_sign_in_at"))["last"]
            billing = billing_status()
    except DatabaseError as error:
        return {**nothing, "unreadable": describe(error)}
    return {
        "people": people,
        "seats": {"mode": billing.seats.mode, "limit": billing.seats.purchased, "used": billing.seats.used},
        "billing": str(billing.status) if billing.configured else "",
        "lastSignInAt": _when(last),
        "unreadable": "",
    }


def _migration(row: TenantMigration | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        "state": row.state,
        "error": row.error,
        "startedAt": wire_time(row.started_at),
        "endedAt": _when(row.ended_at),
        "seconds": row.seconds,
    }


def _when(at: datetime | None) -> str | None:
    return wire_time(at) if at else None


def _words(result: dict[str, Any]) -> str:
    if result["schemaCurrent"]:
        return "current"
    last = result["migration"]
    return f"behind; the last attempt {last['state']}: {last['error']}".rstrip(": ") if last else "behind"
