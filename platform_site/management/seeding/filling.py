"""Filling one tenant up to a size. What is there already counts, so a run that was stopped is run again.

All of it happens in the bound tenant, a batch a transaction.
"""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.directory.services import directory_rebuild_bound
from accounts.models import User
from accounts.profiles import DEFAULT_PROFILE
from accounts.roles import Role
from chat.models import Channel, Member, Message
from events.models import Event
from events.new_event import NewEvent
from events.services.storing import events_store
from notifications.counting import Change, count
from notifications.models import Delivery, Notification
from platform_site.ids import uuid7
from platform_site.management.seeding import words
from registry.models import Entity
from registry.services.records import AppRecord, Snapshot
from registry.services.registering_many import entities_register_new

BATCH: Final = 1000
# What events_store likes best.
EVENT_BATCH: Final = 500
# So far back everything began.
DAYS: Final = 180
PEOPLE_OF_A_CHANNEL: Final = 12
APP: Final = "seed"
_ROLES: Final = (Role.USER,) * 8 + (Role.MANAGER,) * 2
_STATUSES: Final = (User.Status.ACTIVE,) * 18 + (User.Status.PENDING, User.Status.INACTIVE)


@dataclass(frozen=True, slots=True)
class Size:
    """How much of each a tenant is to have; what it has more stays."""

    people: int = 0
    messages: int = 0
    entities: int = 0
    events: int = 0
    notifications: int = 0

    @property
    def rows(self) -> int:
        return self.people + self.messages + self.entities + self.events + self.notifications


def fill(size: Size, *, seed: int, slug: str, password: str) -> Iterator[int]:
    """Fill the bound tenant. ``password`` is a hash that all people get. Gives how many rows each step made."""
    began = timezone.now() - timedelta(days=DAYS)
    yield from people(size.people, seed=seed, slug=slug, password=password, began=began)
    yield from messages(size.messages, seed=seed, slug=slug, began=began)
    yield from entities(size.entities, seed=seed, slug=slug, began=began)
    yield from events(size.events, seed=seed, slug=slug, began=began)
    yield from notifications(size.notifications, seed=seed, slug=slug, began=began)


def people(wanted: int, *, seed: int, slug: str, password: str, began: datetime) -> Iterator[int]:
    have = User.objects.count()
    for numbers in _batches(have, wanted):
        chooser = words.chance(seed, slug, "people", numbers.start)
        made = [_person(chooser, number, slug, password, began) for number in numbers]
        User.objects.bulk_create(made)
        yield len(made)
    if wanted:
        # Also when everybody is there: a run before may have been stopped in front of this.
        directory_rebuild_bound()


def _person(chooser: random.Random, number: int, slug: str, password: str, began: datetime) -> User:
    first, last, address = words.person(chooser, number, f"{slug}.test")
    role, status = chooser.choice(_ROLES), chooser.choice(_STATUSES)
    joined = status != User.Status.PENDING
    return User(
        email=address,
        email_key=address,
        first_name=first,
        last_name=last,
        role=role,
        profile_id=DEFAULT_PROFILE[role].id,
        status=status,
        password=password if joined else "",
        email_verified_at=began if joined else None,
        last_sign_in_at=timezone.now() - timedelta(hours=chooser.uniform(1, 2000)) if joined else None,
        created_at=began + timedelta(hours=chooser.uniform(0, 500)),
    )


def messages(wanted: int, *, seed: int, slug: str, began: datetime) -> Iterator[int]:
    have = Message.objects.count()
    if wanted <= have:
        return
    channels = _channels(seed, slug, began)
    for numbers in _batches(have, wanted):
        chooser = words.chance(seed, slug, "messages", numbers.start)
        shares = Counter(chooser.choices(list(channels), weights=range(len(channels), 0, -1), k=len(numbers)))
        with transaction.atomic():
            for channel_id, share in shares.items():
                _talk(chooser, channel_id, channels[channel_id], share, began)
        yield len(numbers)
    _read(words.chance(seed, slug, "read"))


def _channels(seed: int, slug: str, began: datetime) -> dict[UUID, list[int]]:
    """Members by channel; made where there are none yet."""
    if not Channel.objects.filter(kind=Channel.Kind.GROUP).exists():
        _make_channels(words.chance(seed, slug, "channels"), began)
    members: dict[UUID, list[int]] = {}
    rows = Member.objects.filter(channel__kind=Channel.Kind.GROUP, left_at=None).order_by("channel_id", "user_id")
    for channel_id, user_id in rows.values_list("channel_id", "user_id"):
        members.setdefault(channel_id, []).append(user_id)
    return members


@transaction.atomic
def _make_channels(chooser: random.Random, began: datetime) -> None:
    ids = list(User.objects.filter(status=User.Status.ACTIVE).order_by("id").values_list("id", flat=True))
    # Whoever signs in as the administrator wants to see something everywhere.
    first, others = ids[0], ids[1:]
    count = max(1, min(len(words.CHANNELS), len(ids) // 4))
    for name in words.CHANNELS[:count]:
        channel = Channel.objects.create(
            id=words.id_at(chooser, began), kind=Channel.Kind.GROUP, name=name, created_by_id=first, created_at=began
        )
        chosen = chooser.sample(others, min(len(others), PEOPLE_OF_A_CHANNEL))
        Member.objects.bulk_create(
            Member(
                user_id=user_id,
                channel=channel,
                role=Member.Role.OWNER if user_id == first else Member.Role.MEMBER,
                joined_at=began,
            )
            for user_id in (first, *chosen)
        )


def _talk(chooser: random.Random, channel_id: UUID, members: list[int], count: int, began: datetime) -> None:
    """The next messages of a channel, between the last one and now."""
    channel = Channel.objects.select_for_update(no_key=True).get(id=channel_id)
    now = timezone.now()
    since = channel.last_message_at or began
    # Not up to now: the next batch wants room, too.
    times = words.moments(chooser, count, since, since + (now - since) / 2)
    Message.objects.bulk_create(
        Message(
            id=words.id_at(chooser, at),
            channel=channel,
            seq=channel.last_seq + number,
            sender_id=chooser.choice(members),
            content=words.sentence(chooser),
            created_at=at,
        )
        for number, at in enumerate(times, start=1)
    )
    channel.last_seq += count
    channel.last_message_at, channel.active_at = times[-1], now
    channel.save(update_fields=["last_seq", "last_message_at", "active_at"])


def _read(chooser: random.Random) -> None:
    """Most have read all, some have a few to read."""
    rows = list(Member.objects.filter(left_at=None).select_related("channel").order_by("channel_id", "user_id"))
    for row in rows:
        row.last_read_seq = max(0, row.channel.last_seq - chooser.choice((0, 0, 0, 1, 5)))
    for row in rows:
        Member.objects.filter(user_id=row.user_id, channel_id=row.channel_id).update(last_read_seq=row.last_read_seq)


def entities(wanted: int, *, seed: int, slug: str, began: datetime) -> Iterator[int]:
    have = Entity.objects.count()
    for numbers in _batches(have, wanted):
        chooser = words.chance(seed, slug, "entities", numbers.start)
        made = [_record(chooser, number, began) for number in numbers]
        entities_register_new(made)
        yield len(made)


def _record(chooser: random.Random, number: int, began: datetime) -> tuple[AppRecord, Snapshot]:
    first, last, address = words.person(chooser, number, chooser.choice(("mail.test", "post.test", "work.test")))
    more = {
        "phone": f"+49 30 {chooser.randrange(10**7):07}",
        "city": chooser.choice(words.CITIES),
        "postcode": f"{chooser.randrange(10_000, 99_999)}",
    }
    said = Snapshot.of(name=f"{first} {last}", email=address, more=more, at=began)
    return AppRecord(APP, "contact", str(number)), said


def events(wanted: int, *, seed: int, slug: str, began: datetime) -> Iterator[int]:
    have = Event.objects.count()
    if wanted <= have:
        return
    active = Entity.objects.filter(status=Entity.Status.ACTIVE).order_by("id")
    ids = [str(canonical) for canonical in active.values_list("id", flat=True)[:10_000]]
    now = timezone.now()
    for numbers in _batches(have, wanted, EVENT_BATCH):
        chooser = words.chance(seed, slug, "events", numbers.start)
        times = words.moments(chooser, len(numbers), began, now)
        rows = [_event(chooser, number, at, chooser.choice(ids)) for number, at in zip(numbers, times, strict=True)]
        with transaction.atomic():
            events_store(rows)
        yield len(rows)


def _event(chooser: random.Random, number: int, at: datetime, canonical_id: str) -> NewEvent:
    app, category, action = chooser.choice(words.EVENTS)
    metadata = {"amount": chooser.randrange(1, 5000), "channel": chooser.choice(("web", "phone", "mail"))}
    return NewEvent(
        str(uuid7()), canonical_id, app, category, action, at, f"{APP}-{number}", None, "contact", str(number), metadata
    )


def notifications(wanted: int, *, seed: int, slug: str, began: datetime) -> Iterator[int]:
    have = Notification.objects.count()
    if wanted <= have:
        return
    ids = list(User.objects.filter(status=User.Status.ACTIVE).order_by("id").values_list("id", flat=True))
    for numbers in _batches(have, wanted):
        chooser = words.chance(seed, slug, "notifications", numbers.start)
        times = words.moments(chooser, len(numbers), began, timezone.now())
        told = [_told(chooser, number, at, ids) for number, at in zip(numbers, times, strict=True)]
        # A third of them went out by mail, too.
        mailed = [_mailed(chooser, one) for one in told[::3]]
        with transaction.atomic():
            Notification.objects.bulk_create(told)
            Delivery.objects.bulk_create(mailed)
            count(_change(one) for one in mailed)
        yield len(told)


def _told(chooser: random.Random, number: int, at: datetime, ids: list[int]) -> Notification:
    lead, by = (f"{chooser.choice(words.FIRST)} {chooser.choice(words.LAST)}" for _ in range(2))
    return Notification(
        id=words.id_at(chooser, at),
        user_id=chooser.choice(ids),
        event_key="sales.lead_assigned",
        title=f"New lead: {lead}",
        body=f"{by} assigned {lead} to you.",
        action_url=f"/sales/leads/{number}",
        data={"leadName": lead, "assignedBy": by, "leadId": number},
        dedup_key=f"{APP}:{number}",
        created_at=at,
        read_at=at + timedelta(hours=chooser.uniform(0, 48)) if chooser.random() < 0.8 else None,
    )


def _mailed(chooser: random.Random, told: Notification) -> Delivery:
    bounced = chooser.random() < 0.03
    sent = told.created_at + timedelta(seconds=chooser.uniform(1, 60))
    return Delivery(
        id=words.id_at(chooser, told.created_at),
        notification=told,
        channel="email",
        status=Delivery.Status.SENT,
        mailer="platform",
        created_at=told.created_at,
        sent_at=sent,
        delivered_at=None if bounced else sent,
        bounced_at=sent if bounced else None,
    )


def _change(mailed: Delivery) -> Change:
    ended = "bounced" if mailed.bounced_at else "delivered"
    amounts = {"created": 1, "sent": 1, ended: 1}
    return Change("sales.lead_assigned", "email", mailed.created_at, amounts)


def counts() -> Counter[str]:
    """What the bound tenant has."""
    kinds = {
        "people": User,
        "messages": Message,
        "entities": Entity,
        "events": Event,
        "notifications": Notification,
    }
    return Counter({name: model._default_manager.count() for name, model in kinds.items()})


def _batches(have: int, wanted: int, size: int = BATCH) -> Iterator[range]:
    """Numbers of what is missing, a batch each."""
    for start in range(have + 1, wanted + 1, size):
        yield range(start, min(start + size, wanted + 1))
