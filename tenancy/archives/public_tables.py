"""Which rows of public belong to a tenant, and what a backup does with each kind. A test compares it with the models.

A new table of public that has a tenant's id has to be put in here, by somebody who thought about it.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.apps import apps


class Fate(StrEnum):
    """What becomes of a table's rows when their tenant is restored."""

    # By a rule of its own in tenancy.archives.settling.
    BY_RULE = "by rule"
    # In the backup; put back only when the tenant was gone. While it lives, they are as they are now.
    WHEN_GONE = "when gone"
    # In the backup; what is missing now is added, nothing is taken away or changed.
    ADDED = "added"
    # Not in the backup: worked out again from what is in the tenant's schema.
    REBUILT = "rebuilt"
    # Not in the backup, and not touched.
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class PublicTable:
    """``column`` is the one with the tenant's id; ``without`` are columns that are numbered anew."""

    model: str
    column: str
    fate: Fate
    why: str
    without: tuple[str, ...] = ()

    @property
    def table(self) -> str:
        return str(apps.get_model(self.model)._meta.db_table)

    @property
    def part(self) -> str:
        """Its name in the archive."""
        return f"public/{self.table}.jsonl"

    @property
    def in_backup(self) -> bool:
        return self.fate in {Fate.BY_RULE, Fate.WHEN_GONE, Fate.ADDED}


TENANT: Final = PublicTable(
    "tenancy.Tenant",
    "id",
    Fate.BY_RULE,
    "Name, time zone, language, logo and colours are the tenant's own and come back; address, status, plan and access"
    " are staff's and billing's, and stay as they are while the tenant lives.",
)
OUTBOX: Final = PublicTable(
    "outbox.OutboxRow",
    "tenant_id",
    Fate.BY_RULE,
    "A mail that was sent since must not be sent again: what waits now goes on waiting if what it is about is there,"
    " and of the backup only comes back what cannot have been done since.",
)
ERASURES: Final = PublicTable(
    "erasures.Erasure",
    "tenant_id",
    Fate.ADDED,
    "Whoever was erased is erased again, whichever backup is restored.",
    without=("id",),
)
PUBLIC_TABLES: Final = (
    TENANT,
    PublicTable("tenancy.Domain", "tenant_id", Fate.WHEN_GONE, "Staff give and take host names.", without=("id",)),
    PublicTable(
        "billing.BillingAccount", "tenant_id", Fate.WHEN_GONE, "Stripe has the truth, and it did not go back in time."
    ),
    PublicTable("billing.CheckoutAttempt", "account_id", Fate.WHEN_GONE, "As the account that it belongs to."),
    PublicTable("billing.BillingChange", "account_id", Fate.WHEN_GONE, "As the account that it belongs to."),
    PublicTable(
        "billing.StripeEvent",
        "tenant_id",
        Fate.LEFT_OUT,
        "The platform's record of what Stripe delivered. It outlives tenants, and what was served stays served.",
    ),
    OUTBOX,
    ERASURES,
    PublicTable(
        "directory.DirectoryEntry",
        "tenant_id",
        Fate.REBUILT,
        "Hashes of the addresses that are in the tenant's schema, under today's key.",
    ),
    PublicTable("tenancy.TenantMigration", "tenant_id", Fate.LEFT_OUT, "How its last migration went; written by each."),
    PublicTable("tenancy.FormerSlug", "tenant_id", Fate.LEFT_OUT, "Addresses are staff's; they stay as they are."),
    PublicTable("backoffice.TenantFigures", "tenant_id", Fate.LEFT_OUT, "Counted anew within a quarter of an hour."),
    PublicTable("backoffice.TenantDay", "tenant_id", Fate.LEFT_OUT, "What happened on past days has happened."),
    PublicTable("lens.TenantLogEntry", "tenant_id", Fate.LEFT_OUT, "What staff did in the lens stays done."),
    PublicTable("staff.Impersonation", "staff_session_id", Fate.LEFT_OUT, "As the staff session that it belongs to."),
    PublicTable("staff.StaffSession", "tenant_id", Fate.LEFT_OUT, "Staff's own record of when they were where."),
    PublicTable("staff.StaffAct", "tenant_id", Fate.LEFT_OUT, "Staff's audit: added to, never put back or taken away."),
)
