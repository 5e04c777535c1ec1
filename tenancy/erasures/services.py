"""Noting erasures, and doing them again after a restore."""

from collections.abc import Iterable
from uuid import UUID

from platform_site.archiving import erasure_replays
from platform_site.binding import require_tenant
from tenancy.erasures.models import Erasure


def erasures_note(*, kind: str, subject_ids: Iterable[UUID]) -> None:
    """Keep that these were erased in the bound tenant, in the caller's transaction."""
    tenant_id = require_tenant().id
    rows = [Erasure(tenant_id=tenant_id, kind=kind, subject_id=subject_id) for subject_id in subject_ids]
    Erasure.objects.bulk_create(rows, ignore_conflicts=True)


def erasures_replay() -> int:
    """Erase again whoever was erased in the bound tenant and is there all the same. Gives how many."""
    noted = Erasure.objects.filter(tenant_id=require_tenant().id).order_by("id").values_list("kind", "subject_id")
    return sum(erasure_replays.get(kind).erase(subject_id) for kind, subject_id in noted)
