"""Events that come from outside: a module of the product raises them with an API key."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts.models import User
from notifications import catalog, errors
from notifications.services.telling import notify
from platform_site.api.identity import Identity
from platform_site.errors import FieldError, PlatformError
from platform_site.journal.services import record
from platform_site.notification_events import NotificationEvent, notification_events


@transaction.atomic
def notification_raise(
    *,
    actor: Identity,
    event_key: str,
    recipients: Sequence[int | UUID],
    values: Mapping[str, Any],
    dedup_key: str | None = None,
) -> int:
    """Tell these people. Gives how many were told now; a repeat of ``dedup_key`` tells nobody twice.

    Raises ``unknown_event``, ``event_not_raisable``, ``unknown_variable`` or ``unknown_recipient``.
    """
    event = _event(event_key)
    unknown = sorted(set(values) - set(event.sample))
    if unknown:
        code = errors.UNKNOWN_VARIABLE
        raise PlatformError(code, details=[FieldError(f"data.{name}", code.key, code.message) for name in unknown])
    user_ids = _people(recipients)
    told = notify(
        event=event,
        user_ids=user_ids,
        values=values,
        actor_id=actor.user_uuid if actor.is_person else None,
        # Its own namespace: a journal entry's id is never met by accident.
        dedup_key=f"{event.key}:{dedup_key}" if dedup_key else None,
    )
    record(
        catalog.NOTIFICATION_RAISED,
        subject=("notification_event", event.key),
        data={"recipients": len(user_ids), "told": told},
    )
    return told


def _event(key: str) -> NotificationEvent:
    if key not in notification_events:
        code = errors.UNKNOWN_EVENT
        raise PlatformError(code, details=[FieldError("eventKey", code.key, code.message)])
    event = notification_events.get(key)
    if event.trigger is not None:
        raise PlatformError(errors.EVENT_NOT_RAISABLE)
    return event


def _people(recipients: Sequence[int | UUID]) -> list[int]:
    numbers = {ref for ref in recipients if isinstance(ref, int)}
    uuids = {ref for ref in recipients if isinstance(ref, UUID)}
    rows = User.objects.filter(Q(id__in=numbers) | Q(uuid__in=uuids), status=User.Status.ACTIVE)
    found = {ref: user_id for user_id, uuid in rows.values_list("id", "uuid") for ref in (user_id, uuid)}
    missing = [place for place, ref in enumerate(recipients) if ref not in found]
    if missing:
        code = errors.UNKNOWN_RECIPIENT
        raise PlatformError(code, details=[FieldError(f"userIds.{place}", code.key, code.message) for place in missing])
    return sorted({found[ref] for ref in recipients})
