"""``notify``: from an event to what each person is told, and on which ways."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from notifications.channels import CHANNELS
from notifications.counting import Change, count
from notifications.frames import Frame, publish_on_commit
from notifications.mailing.overrides import in_app_texts
from notifications.models import Delivery, DoNotDisturb, Notification
from notifications.presenting import present_notification
from notifications.selectors import company_zone, held_until, layers, unread_counts, zone_of
from notifications.services.delivering import DELIVER
from notifications.services.digests import digest_settings, open_digests
from notifications.services.outcomes import changes_of
from notifications.texts import render_text
from notifications.wishes import Layers
from platform_site.ids import uuid7
from platform_site.notification_events import EMAIL, IN_APP, NotificationEvent
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.services import Job, enqueue_jobs

MAX_URL = 500
_QUEUES = {"urgent": OutboxRow.Queue.URGENT, "high": OutboxRow.Queue.URGENT}


@transaction.atomic
def notify(
    *,
    event: NotificationEvent,
    user_ids: Iterable[int],
    values: Mapping[str, Any],
    actor_id: UUID | None = None,
    dedup_key: str | None = None,
    now: datetime | None = None,
) -> int:
    """Tell these people, in the bound tenant. Gives how many were told anything.

    Who is not active is left out. The same ``dedup_key`` tells one person once.
    The number of queries does not grow with the number of people.
    """
    now = now or timezone.now()
    people = list(User.objects.filter(id__in=set(user_ids), status=User.Status.ACTIVE).order_by("id"))
    decided = layers(user_ids=[person.id for person in people], event_key=event.key)
    wishes = {person.id: _wishes(event, person, decided) for person in people}
    texts = in_app_texts(event, values)
    rows = [
        _row(event, person, values, texts, actor_id, dedup_key, IN_APP in wishes[person.id])
        for person in people
        if wishes[person.id]
    ]
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    # What was there already stays as it was, and its ways out with it.
    new = set(Notification.objects.filter(id__in=[row.id for row in rows]).values_list("id", flat=True))
    told = [row for row in rows if row.id in new]
    by_id = {person.id: person for person in people}
    deliveries = _send_out(event, told, by_id, wishes, now)
    _count(told, deliveries)
    _show(told)
    return len(told)


def _wishes(event: NotificationEvent, person: User, decided: Layers) -> set[str]:
    """The channels on which this person is to be told."""
    return {channel for channel in event.channels if decided.wish(event, channel, person.id).enabled}


def _row(
    event: NotificationEvent,
    person: User,
    values: Mapping[str, Any],
    texts: tuple[str, str],
    actor_id: UUID | None,
    dedup_key: str | None,
    in_inbox: bool,
) -> Notification:
    return Notification(
        id=uuid7(),
        user=person,
        event_key=event.key,
        title=texts[0],
        body=texts[1],
        action_url=render_text(event.action_path, values, longest=MAX_URL),
        data=dict(values),
        actor_id=actor_id,
        dedup_key=dedup_key,
        in_inbox=in_inbox,
        created_at=timezone.now(),
    )


def _send_out(
    event: NotificationEvent,
    told: Sequence[Notification],
    people: Mapping[int, User],
    wishes: Mapping[int, set[str]],
    now: datetime,
) -> Sequence[Delivery]:
    """One delivery, and one job in the outbox, for each way out of the platform.

    A way that somebody does not want has a delivery too, which says so to whoever asks why nothing came.
    """
    outside = [channel for channel in event.channels if channel in CHANNELS]
    if not told or not outside:
        return []
    digests = _digests(event, told, people, wishes, now)
    quiet = {} if event.severity == "urgent" else DoNotDisturb.objects.in_bulk([row.user_id for row in told])
    company = company_zone() if quiet else ""
    deliveries = []
    for row in told:
        until = held_until(quiet.get(row.user_id), zone_of(people[row.user_id], company), now)
        deliveries += [
            _delivery(row, channel, digests if channel == EMAIL else {}, until, now)
            if channel in wishes[row.user_id]
            else _unwanted(row, channel, now)
            for channel in outside
        ]
    Delivery.objects.bulk_create(deliveries)
    queue = _QUEUES.get(event.severity, OutboxRow.Queue.DEFAULT)
    alone = [one for one in deliveries if one.digest_id is None and one.status == Delivery.Status.PENDING]
    enqueue_jobs(kind=DELIVER, jobs=[Job(delivery.id, delivery.held_until, queue) for delivery in alone])
    return deliveries


def _delivery(
    told: Notification, channel: str, digests: Mapping[int, UUID], held: datetime | None, now: datetime
) -> Delivery:
    digest_id = digests.get(told.user_id)
    return Delivery(
        id=uuid7(),
        notification=told,
        channel=channel,
        created_at=now,
        digest_id=digest_id,
        held_until=held if digest_id is None else None,
    )


def _unwanted(told: Notification, channel: str, now: datetime) -> Delivery:
    return Delivery(
        id=uuid7(),
        notification=told,
        channel=channel,
        created_at=now,
        status=Delivery.Status.SUPPRESSED,
        reason="preference",
    )


def _count(told: Sequence[Notification], deliveries: Sequence[Delivery]) -> None:
    unwanted = [one for one in deliveries if one.status == Delivery.Status.SUPPRESSED]
    wanted = [one for one in deliveries if one.status != Delivery.Status.SUPPRESSED]
    # The inbox has it as soon as it is told.
    at_once = {"created": 1, "sent": 1, "delivered": 1}
    count(
        [
            *changes_of(wanted, {"created": 1}),
            *changes_of(unwanted, {"created": 1, "suppressed": 1}, "preference"),
            *(Change(one.event_key, IN_APP, one.created_at, at_once) for one in told if one.in_inbox),
        ]
    )


def _digests(
    event: NotificationEvent,
    told: Sequence[Notification],
    people: Mapping[int, User],
    wishes: Mapping[int, set[str]],
    now: datetime,
) -> Mapping[int, UUID]:
    """The digest that takes the mail, for those who want digests."""
    if not event.in_digests or EMAIL not in event.channels:
        return {}
    settings = digest_settings(row.user_id for row in told if EMAIL in wishes[row.user_id])
    if not settings:
        return {}
    company = company_zone()
    return open_digests(settings, {user_id: zone_of(people[user_id], company) for user_id in settings}, now)


def _show(told: Sequence[Notification]) -> None:
    """A frame for everybody who has it in the inbox."""
    seen = [row for row in told if row.in_inbox]
    if not seen:
        return
    counts = unread_counts(row.user_id for row in seen)
    publish_on_commit(
        Frame("created", row.user_id, counts.get(row.user_id, 0), present_notification(row, {})) for row in seen
    )
