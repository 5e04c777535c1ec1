"""Putting action items, and closing them, inside the bound tenant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from events.sent import ID_IN_APP, NAME
from events.subjects import directory
from platform_site import context
from platform_site.action_items import PRIORITIES, Priority
from platform_site.api.identity import Identity
from platform_site.errors import NOT_FOUND, PlatformError, invalid_field
from platform_site.ids import uuid7
from platform_site.journal.services import record
from platform_site.me import catalog, errors, retention
from platform_site.me.models import StoredItem
from platform_site.me.selectors import item_find
from platform_site.permissions import permissions
from platform_site.realtime.envelopes import Header
from platform_site.realtime.publishing import publish_on_commit


@dataclass(frozen=True, slots=True)
class Put:
    """``changed`` is false for a repeat."""

    item: StoredItem
    created: bool
    changed: bool


@transaction.atomic
def item_put(
    *,
    app: str,
    key: str,
    title: str,
    assignee: int | UUID | None = None,
    permission: str = "",
    role: str = "",
    type: str = "task",
    url: str = "",
    priority: Priority = "normal",
    due_at: datetime | None = None,
    entity: UUID | None = None,
) -> Put:
    """Let this item of the app's wait for the person, for who holds the permission, or for the role and those above.

    A repeat changes nothing, also when somebody has done it meanwhile; other values open it again, and so does
    whatever comes after the app itself took it back. Raises
    ``one_audience``, ``unknown_assignee``, ``unknown_audience``, ``unknown_entity``, or ``not_found`` for an app or a
    key that no path can have.
    """
    _nameable(app, key)
    if [assignee is not None, bool(permission), bool(role)].count(True) != 1:
        raise PlatformError(errors.ONE_AUDIENCE)
    if permission and permission not in permissions:
        raise invalid_field("permission", errors.UNKNOWN_AUDIENCE)
    values: dict[str, Any] = {
        "assignee_id": _active(assignee) if assignee is not None else None,
        "permission": permission,
        "role": role,
        "type": type,
        "title": title,
        "url": url,
        "priority": PRIORITIES.index(priority),
        "due_at": due_at,
        "entity": _known(entity) if entity is not None else None,
    }
    # The primary key is fresh, so what was there already is known by another one.
    fresh = StoredItem(id=uuid7(), app=app, key=key, **values)
    StoredItem.objects.bulk_create([fresh], ignore_conflicts=True)
    item = StoredItem.objects.select_for_update(of=("self",)).get(app=app, key=key)
    created = item.id == fresh.id
    before = {name: getattr(item, name) for name in values}
    if not created and before == values and item.closed != StoredItem.Closed.WITHDRAWN:
        return Put(item, created=False, changed=False)
    if not created:
        _change(item, values)
    record(catalog.ITEM_PUT, subject=("action_item", item.id), data={"app": app, "key": key, "created": created})
    _tell({before["assignee_id"], item.assignee_id})
    return Put(item, created=created, changed=True)


def _change(item: StoredItem, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        setattr(item, name, value)
    item.closed_at = item.closed_by = None
    item.closed = ""
    item.save()


def _nameable(app: str, key: str) -> None:
    if not NAME.fullmatch(app) or not ID_IN_APP.fullmatch(key):
        raise PlatformError(NOT_FOUND)


def _active(ref: int | UUID) -> int:
    """Who is deleted waits until this is committed, and so is rid of it afterwards."""
    rows = User.objects.select_for_update(of=("self",), no_key=True).filter(status=User.Status.ACTIVE)
    rows = rows.filter(uuid=ref) if isinstance(ref, UUID) else rows.filter(id=ref)
    user_id = rows.values_list("id", flat=True).first()
    if user_id is None:
        raise invalid_field("assignee", errors.UNKNOWN_ASSIGNEE)
    return user_id


def _known(entity: UUID) -> UUID:
    """It cannot be erased before this is committed, so no item about an erased record is left behind."""
    subject = directory().subjects([entity]).get(entity)
    if subject is None or subject.erased:
        raise invalid_field("entity.canonicalId", errors.UNKNOWN_ENTITY)
    return entity


@transaction.atomic
def item_withdraw(*, app: str, key: str) -> StoredItem:
    """The app wants it no longer. Again, and after somebody did it, changes nothing. Raises ``not_found``."""
    item = StoredItem.objects.select_for_update(of=("self",)).filter(app=app, key=key).first()
    if item is None:
        raise PlatformError(NOT_FOUND)
    return _close(item, StoredItem.Closed.WITHDRAWN)


@transaction.atomic
def item_done(*, actor: Identity, item_id: UUID) -> StoredItem:
    """Somebody for whom it was did it, for all for whom it was. Again changes nothing. Raises ``not_found``."""
    return _close(item_find(asker=actor, item_id=item_id), StoredItem.Closed.DONE)


def _close(item: StoredItem, how: StoredItem.Closed) -> StoredItem:
    if item.closed_at is not None:
        return item
    item.closed_at, item.closed, item.closed_by = timezone.now(), how, context.current().actor_id
    item.save(update_fields=["closed_at", "closed", "closed_by", "updated_at"])
    data = {"app": item.app, "key": item.key, "how": how}
    record(catalog.ITEM_CLOSED, subject=("action_item", item.id), data=data)
    retention.arm()
    _tell({item.assignee_id})
    return item


def _tell(assignees: set[int | None]) -> None:
    """Sockets of these people count anew; of everybody's, where it is for several."""
    to = None if None in assignees else tuple(sorted(one for one in assignees if one is not None))
    publish_on_commit([(Header(kind="count", to=to), b"")])
