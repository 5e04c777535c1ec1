"""Rows of the public schema that belong to one tenant: what becomes of them when it is purged, and when it is restored.

Apps that keep such rows say so in their ``catalog.py``, both with their reasons. A test compares this table with the
models of public, so that no table is forgotten; what has no place here belongs to no tenant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.apps import apps
from django.db.models import Model, QuerySet

from platform_site.catalog import Catalog


class AtPurge(StrEnum):
    REMOVED = "removed"
    ANONYMISED = "anonymised"
    KEPT = "kept"


class AtRestore(StrEnum):
    # In the backup; by a rule of its own in tenancy.archives.settling.
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
class TenantRows:
    """``by`` is the lookup that finds a tenant's rows of ``label``; for those in a backup it is one field.

    ``values`` are what an anonymised row gets; without them ``tenancy.purging`` has a rule of its own. ``unnumbered``
    are columns that a backup leaves out, because they are numbered anew.
    """

    label: str
    by: str
    at_purge: AtPurge
    at_restore: AtRestore
    why_restored: str
    why_purged: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    unnumbered: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return self.label

    @property
    def model(self) -> type[Model]:
        return apps.get_model(self.label)

    @property
    def column(self) -> str:
        """The one that holds the tenant's id. Raises ``FieldDoesNotExist`` where another table has it."""
        found: Any = self.model._meta.get_field(self.by)
        return str(found.column)

    @property
    def is_purged(self) -> bool:
        """Whether ``purge`` does something."""
        return self.at_purge is AtPurge.REMOVED or bool(self.values)

    @property
    def is_in_backup(self) -> bool:
        return self.at_restore in {AtRestore.BY_RULE, AtRestore.WHEN_GONE, AtRestore.ADDED}

    def of(self, tenant_id: object) -> "QuerySet[Any]":
        """The tenant's rows."""
        rows: QuerySet[Any] = self.model._default_manager.filter(**{self.by: tenant_id})
        return rows

    def purge(self, tenant_id: object) -> int:
        """Do with the tenant's rows what is to be done. Gives how many were removed or anonymised."""
        if self.at_purge is AtPurge.REMOVED:
            return self.of(tenant_id).delete()[0]
        return self.of(tenant_id).update(**self.values) if self.values else 0


tenant_rows: Catalog[TenantRows] = Catalog("rows of tenants in public")
