"""What becomes of a restored tenant's rows of public: the rules that are more than "kept" or "left out"."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import Any, Final

import orjson
from django.db.models import Exists, OuterRef
from django.utils import timezone

from platform_site.journal.models import JournalEntry
from platform_site.outbox.catalog import OUTBOX_ROWS
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.registry import job_kinds
from platform_site.tenant_rows import TenantRows
from tenancy.archives.building import insert_json, update_json
from tenancy.models import Tenant

# What a tenant chose about itself; everything else of its row is staff's, billing's or the platform's.
OWN_COLUMNS: Final = ("name", "timezone", "locale", "logo_url", "colors")
# A tenant that was gone may have been restored in between, and clients may know its epochs.
EPOCHS_BEYOND: Final = 1000
_PAGE: Final = 500


def tenant_again(row: dict[str, Any], *, slug: str, schema_name: str, fingerprint: str) -> None:
    """The row of a tenant that was gone; of one that was deleted and left its row, that row as it was."""
    state = Tenant.Status.SUSPENDED if row["status"] == Tenant.Status.SUSPENDED else Tenant.Status.ACTIVE
    values = {
        **row,
        "slug": slug,
        "schema_name": schema_name,
        "schema_fingerprint": fingerprint,
        "status": state,
        "data_epoch": row["data_epoch"] + EPOCHS_BEYOND,
        "updated_at": timezone.now().isoformat(),
    }
    table, text = Tenant._meta.db_table, orjson.dumps(values).decode()
    if not update_json("public", table, list(values), text, key="id"):
        insert_json("public", table, list(values), f"[{text}]")


def tenant_swapped(tenant: Tenant, row: dict[str, Any], *, schema_name: str, fingerprint: str) -> None:
    """A living tenant's row: what the tenant chose about itself comes back, the schema is the new one."""
    for name in OWN_COLUMNS:
        setattr(tenant, name, row[name])
    tenant.schema_name, tenant.schema_fingerprint = schema_name, fingerprint
    tenant.data_epoch += 1
    tenant.save(update_fields=[*OWN_COLUMNS, "schema_name", "schema_fingerprint", "data_epoch", "updated_at"])


def rows_add(kind: TenantRows, lines: Iterable[bytes]) -> int:
    """Put rows of the backup into a table of public, unless they are there. Gives how many were not."""
    lines, added = iter(lines), 0
    table = kind.model._meta.db_table
    while page := list(islice(lines, _PAGE)):
        columns = list(orjson.loads(page[0]))
        added += len(insert_json("public", table, columns, f"[{b','.join(page).decode()}]", skip_conflicts=True))
    return added


def outbox_of_living(tenant: Tenant) -> int:
    """What waits now goes on waiting, unless it is about an entry that the restored journal does not have.

    Nothing of the backup comes back: what does not wait any more was done, and mails went out by it. Inside the
    restored tenant. Gives how many rows went.
    """
    entries = JournalEntry.objects.filter(pk=OuterRef("entry_id"))
    waiting = OutboxRow.objects.filter(tenant_id=tenant.id).exclude(reaction__in=[kind.key for kind in job_kinds])
    return waiting.exclude(Exists(entries)).delete()[0]


def outbox_of_gone(lines: Iterable[bytes], now: datetime) -> int:
    """Of the backup comes back what mails nobody, what is due later, and what failed for good. Gives how many."""
    back = [row for row in map(orjson.loads, lines) if _comes_back(row, now)]
    for row in back:
        row["claim"] = None
    return rows_add(OUTBOX_ROWS, [orjson.dumps(row) for row in back])


def _comes_back(row: dict[str, Any], now: datetime) -> bool:
    if row["state"] == OutboxRow.State.DEAD:
        return True
    if row["reaction"] not in job_kinds:
        # A reaction may tell people something; whether it did is not known.
        return False
    return not job_kinds.get(row["reaction"]).mails or datetime.fromisoformat(row["available_at"]) > now
