"""What somebody says who has only a link from a mail: no more of these, none at all, or some again.

The token is the authority, also for somebody who was deactivated. Everything
here may be said twice.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from notifications import catalog
from notifications.counting import DIGEST, Change, count
from notifications.mailing.tokens import (
    DIGEST_SCOPE,
    EVERYTHING_SCOPE,
    Purpose,
    read_mail_token,
    tenant_of_mail_token,
)
from notifications.models import Delivery, DigestSetting, Preference
from notifications.selectors import chosen, layers
from notifications.services.digests import digests_dropped
from notifications.services.suppressing import OPTIONAL, Reason, is_suppressed, subscribe, suppress
from platform_site.binding import bind
from platform_site.errors import NOT_FOUND, PlatformError
from platform_site.journal.services import record
from platform_site.notification_events import EMAIL, notification_events

Scope = Literal["event", "digest", "all"]
SCOPES: Final[tuple[Scope, ...]] = ("event", "digest", "all")


@dataclass(frozen=True, slots=True)
class Reader:
    """Who has the link, and from what it unsubscribes. ``event_key`` and ``delivery_id`` are of the mail it was in."""

    user: User
    scope: Scope
    event_key: str = ""
    delivery_id: UUID | None = None

    @property
    def label(self) -> str:
        """In words what it unsubscribes from."""
        if self.event_key in notification_events:
            return notification_events.get(self.event_key).label
        return {"event": "Mail of this kind", "digest": "Digests", "all": "All optional mail"}[self.scope]


@dataclass(frozen=True, slots=True)
class Switch:
    """One event that the reader may have by mail. ``locked`` ones the company decides."""

    event_key: str
    label: str
    enabled: bool
    locked: bool


@contextmanager
def reader_of(token: str) -> Iterator[Reader]:
    """Whoever the token names, with the tenant bound until the end of the block. Raises ``not_found``."""
    found = read_mail_token(token, Purpose.UNSUBSCRIBE)
    tenant = tenant_of_mail_token(found) if found else None
    if found is None or tenant is None:
        raise PlatformError(NOT_FOUND)
    with bind(tenant):
        user = User.objects.filter(uuid=found.subject_id).exclude(status=User.Status.ERASED).first()
        if user is None:
            raise PlatformError(NOT_FOUND)
        yield _reader(user, found.scope)


def _reader(user: User, scope: str) -> Reader:
    if scope == DIGEST_SCOPE:
        return Reader(user, "digest")
    if scope == EVERYTHING_SCOPE:
        return Reader(user, "all")
    event_key, _, delivery = scope.partition(":")
    return Reader(user, "event", event_key, UUID(delivery) if delivery else None)


def subscribed(reader: Reader) -> bool:
    """Whether what the mail was about still comes by mail."""
    if gets_nothing_optional(reader):
        return False
    if reader.scope == "all":
        return True
    if reader.scope == "digest":
        return DigestSetting.objects.filter(user=reader.user).exclude(frequency=DigestSetting.Frequency.OFF).exists()
    if reader.event_key not in notification_events:
        return False
    event = notification_events.get(reader.event_key)
    decided = layers(user_ids=[reader.user.id], event_key=event.key)
    return EMAIL in event.channels and decided.wish(event, EMAIL, reader.user.id).enabled


def gets_nothing_optional(reader: Reader) -> bool:
    return is_suppressed(reader.user.email, optional=True)


def switches(reader: Reader) -> list[Switch]:
    """Each event that comes by mail and need not."""
    decided = layers(user_ids=[reader.user.id])
    found = []
    for event in notification_events:
        if EMAIL in event.channels and EMAIL not in event.mandatory:
            one = decided.wish(event, EMAIL, reader.user.id)
            found.append(Switch(event.key, event.label, one.enabled, one.locked))
    return found


@transaction.atomic
def unsubscribe(reader: Reader, *, everything: bool = False) -> None:
    """No more of what the link is about, or no mail at all but what is mandatory."""
    scope = "all" if everything else reader.scope
    if scope == "all":
        changed = suppress(reader.user.email, Reason.UNSUBSCRIBED, OPTIONAL)
        if changed:
            digests_dropped(user_id=reader.user.id)
    elif scope == "event":
        changed = _prefer(reader, {reader.event_key: False})
    else:
        changed = _digests_off(reader)
    _note(reader, reader.event_key if scope == "event" else scope, on=False, changed=changed)
    _count(reader)


@transaction.atomic
def choices_set(reader: Reader, wanted: Collection[str]) -> None:
    """Have these events by mail and no others, as the switches say; whoever wants any is not left alone any more."""
    before = {one.event_key: one for one in switches(reader)}
    changes = {key: key in wanted for key, one in before.items() if not one.locked and one.enabled != (key in wanted)}
    changed = _prefer(reader, changes)
    if wanted:
        changed |= subscribe(reader.user.email)
    _note(reader, ",".join(sorted(changes)) or "all", on=any(changes.values()) or not changes, changed=changed)
    if changes.get(reader.event_key) is False:
        _count(reader)


@transaction.atomic
def subscribe_again(reader: Reader) -> None:
    """Take back that one wants no mail at all."""
    _note(reader, "all", on=True, changed=subscribe(reader.user.email))


def _prefer(reader: Reader, choices: dict[str, bool]) -> bool:
    """Keep these choices. Gives whether any of them is new."""
    rows = chosen(user_ids=[reader.user.id])
    said = {key: row.enabled for (_, key, channel), row in rows.items() if channel == EMAIL}
    new = {key: on for key, on in choices.items() if said.get(key) is not on}
    Preference.objects.bulk_create(
        [Preference(user=reader.user, event_key=key, channel=EMAIL, enabled=on) for key, on in sorted(new.items())],
        update_conflicts=True,
        unique_fields=["user", "event_key", "channel"],
        update_fields=["enabled", "updated_at"],
    )
    return bool(new)


def _digests_off(reader: Reader) -> bool:
    rows = DigestSetting.objects.filter(user=reader.user).exclude(frequency=DigestSetting.Frequency.OFF)
    if not rows.update(frequency=DigestSetting.Frequency.OFF, updated_at=timezone.now()):
        return False
    digests_dropped(user_id=reader.user.id)
    count([Change("digest", DIGEST, timezone.now(), {"unsubscribed": 1})])
    return True


def _note(reader: Reader, what: str, *, on: bool, changed: bool) -> None:
    if changed:
        uuid = reader.user.uuid
        record(catalog.UNSUBSCRIBED, subject=("user", uuid), data={"mail": what, "on": on}, actor_id=uuid)


def _count(reader: Reader) -> None:
    """Of the mail with the link, once."""
    if reader.delivery_id is None:
        return
    rows = Delivery.objects.filter(id=reader.delivery_id, notification__user=reader.user)
    if rows.filter(unsubscribed_at=None).update(unsubscribed_at=timezone.now()):
        delivery = rows.select_related("notification").get()
        change = Change(delivery.notification.event_key, delivery.channel, delivery.created_at, {"unsubscribed": 1})
        count([change])
