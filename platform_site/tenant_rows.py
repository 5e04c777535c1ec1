"""Rows of the public schema that belong to one tenant, and what becomes of them when the tenant is purged.

Apps that keep such rows say so in their ``catalog.py``. A test compares this table with the models of public, so
that no table is forgotten; what has no place here belongs to no tenant.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from django.apps import apps
from django.db.models import QuerySet

from platform_site.catalog import Catalog

Fate = Literal["removed", "anonymised", "kept"]
REMOVED: Final[Fate] = "removed"
ANONYMISED: Final[Fate] = "anonymised"
KEPT: Final[Fate] = "kept"


@dataclass(frozen=True, slots=True)
class TenantRows:
    """``by`` is the lookup that finds a tenant's rows of ``label``; ``values`` are what an anonymised row gets."""

    label: str
    by: str
    fate: Fate
    values: Mapping[str, Any] = field(default_factory=dict)
    why: str = ""

    @property
    def key(self) -> str:
        return self.label

    def of(self, tenant_id: object) -> "QuerySet[Any]":
        """The tenant's rows."""
        rows: QuerySet[Any] = apps.get_model(self.label)._default_manager.filter(**{self.by: tenant_id})
        return rows

    def purge(self, tenant_id: object) -> int:
        """Do with the tenant's rows what is to be done. Gives how many were removed or anonymised."""
        if self.fate == REMOVED:
            return self.of(tenant_id).delete()[0]
        return self.of(tenant_id).update(**self.values) if self.fate == ANONYMISED else 0


tenant_rows: Catalog[TenantRows] = Catalog("rows of tenants in public")
