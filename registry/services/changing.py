"""What people decide about a record: a field's value, and that nothing may be done to it."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from platform_site.errors import STALE_VERSION, PlatformError
from platform_site.journal.services import record as journal
from registry import catalog, errors
from registry.models import Entity
from registry.services.history import Op, Step, history_write
from registry.services.locking import entity_lock, whole
from registry.services.records import entity_refresh


@whole
def entity_change(
    *,
    canonical_id: UUID,
    pins: Mapping[str, Any] | None = None,
    unpin: list[str] | None = None,
    locked: bool | None = None,
    version: int | None = None,
) -> Entity:
    """Pin fields to values, let them go, lock the record against merging, unlinking and pinning, or unlock it.

    Apps may go on linking and saying what they know. Raises ``not_found``, ``entity_erased``, ``entity_locked``
    unless it is being unlocked, and ``stale_version`` when it is not the version that was looked at.
    """
    entity = entity_lock(canonical_id)
    if version is not None and version != entity.version:
        raise PlatformError(STALE_VERSION, context={"version": entity.version})
    wanted = {name: value for name, value in (pins or {}).items() if (name, value) not in entity.pins.items()}
    dropped = [name for name in (unpin or []) if name in entity.pins]
    if entity.locked and (wanted or dropped) and locked is not False:
        raise PlatformError(errors.ENTITY_LOCKED, context={"canonicalId": str(entity.id)})
    steps = [Step(entity.id, Op.FIELD_PINNED, {"field": name}) for name in wanted]
    steps += [Step(entity.id, Op.FIELD_UNPINNED, {"field": name}) for name in dropped]
    if locked is not None and locked != entity.locked:
        entity.locked = locked
        steps.append(Step(entity.id, Op.LOCKED if locked else Op.UNLOCKED))
    if not steps:
        return entity
    kept = {name: value for name, value in entity.pins.items() if name not in dropped}
    entity.pins = {**kept, **wanted}
    entity_refresh(entity)
    history_write(steps)
    journal(
        catalog.ENTITY_CHANGED,
        subject=("entity", entity.id),
        data={"pinned": sorted(wanted), "unpinned": sorted(dropped), "locked": entity.locked},
    )
    return entity
