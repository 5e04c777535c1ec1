"""``notify``: from an event to what each person is told, and on which ways."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from notifications.channels import CHANNELS
from notifications.frames import Frame, publish_on_commit
from notifications.models import Delivery, DoNotDisturb, Notification
from notifications.presenting import present_notification
from notifications.selectors import chosen, company_zone, held_until, unread_counts, zone_of
from notifications.services.delivering import DELIVER
from notifications.texts import render_text
from notifications.wishes import wish
from platform_site.ids import uuid7
from platform_site.notification_events import IN_APP, NotificationEvent
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.services import Job, enqueue_jobs

MAX_TITLE, MAX_BODY, MAX_URL = 200, 1000, 500
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
    choices = _chosen(event, people)
    wishes = {person.id: _wishes(event, person, choices) for person in people}
    rows = [
        _row(event, person, values, actor_id, dedup_key, IN_APP in wishes[person.id])
        for person in people
        if wishes[person.id]
    ]
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    # What was there already stays as it was, and its ways out with it.
    new = set(Notification.objects.filter(id__in=[row.id for row in rows]).values_list("id", flat=True))
    told = [row for row in rows if row.id in new]
    by_id = {person.id: person for person in people}
    _send_out(event, told, by_id, wishes, now)
    _show(told)
    return len(told)


def _chosen(event: NotificationEvent, people: Sequence[User]) -> Mapping[tuple[int, str], bool]:
    rows = chosen(user_ids=[person.id for person in people], event_key=event.key)
    return {(user_id, channel): row.enabled for (user_id, _, channel), row in rows.items()}


def _wishes(event: NotificationEvent, person: User, rows: Mapping[tuple[int, str], bool]) -> set[str]:
    """The channels on which this person is to be told."""
    return {channel for channel in event.channels if wish(event, channel, rows.get((person.id, channel))).enabled}


def _row(
    event: NotificationEvent,
    person: User,
    values: Mapping[str, Any],
    actor_id: UUID | None,
    dedup_key: str | None,
    in_inbox: bool,
) -> Notification:
    return Notification(
        id=uuid7(),
        user=person,
        event_key=event.key,
        title=render_text(event.title, values, longest=MAX_TITLE),
        body=render_text(event.body, values, longest=MAX_BODY),
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
) -> None:
    """One delivery, and one job in the outbox, for each way out of the platform."""
    outside = [channel for channel in event.channels if channel in CHANNELS]
    if not told or not outside:
        return
    quiet = {} if event.severity == "urgent" else DoNotDisturb.objects.in_bulk([row.user_id for row in told])
    company = company_zone() if quiet else ""
    deliveries = []
    for row in told:
        until = held_until(quiet.get(row.user_id), zone_of(people[row.user_id], company), now)
        deliveries += [
            Delivery(id=uuid7(), notification=row, channel=channel, held_until=until)
            for channel in outside
            if channel in wishes[row.user_id]
        ]
    Delivery.objects.bulk_create(deliveries)
    queue = _QUEUES.get(event.severity, OutboxRow.Queue.DEFAULT)
    enqueue_jobs(kind=DELIVER, jobs=[Job(delivery.id, delivery.held_until, queue) for delivery in deliveries])


def _show(told: Sequence[Notification]) -> None:
    """A frame for everybody who has it in the inbox."""
    seen = [row for row in told if row.in_inbox]
    if not seen:
        return
    counts = unread_counts(row.user_id for row in seen)
    publish_on_commit(
        Frame("created", row.user_id, counts.get(row.user_id, 0), present_notification(row, {})) for row in seen
    )
