"""What becomes of a mail outside: its first delivery, opening, click and so on, each counted once.

Reports come late, twice and in any order. The first time of each kind is kept
and counted; an earlier time that is heard of later takes its place uncounted.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from notifications.counting import DIGEST, Change, count
from notifications.models import Delivery, Digest
from notifications.services.consent import tracked_ways

Fact = Literal["delivered", "opened", "machine_opened", "clicked", "bounced", "complained", "unsubscribed"]
DELIVERY_KIND: Final = "d"
DIGEST_KIND: Final = "g"
# Nobody reads so fast: it was a scanner that looks into each mail.
TOO_FAST: Final = timedelta(seconds=10)


@transaction.atomic
def engaged(*, kind: str, subject_id: UUID, clicked: bool, machine: bool, at: datetime) -> None:
    """Somebody, or some machine, opened this mail or followed a link in it. Without consent nothing is kept."""
    subject = _subject(kind, subject_id)
    if subject is None:
        return
    user_id = subject.user_id if isinstance(subject, Digest) else subject.notification.user_id
    ways = tracked_ways(user_id)
    if not (ways.clicks if clicked else ways.opens):
        return
    machine = machine or (subject.sent_at is not None and at - subject.sent_at < TOO_FAST)
    # Whoever clicks has opened it, also where pictures are not loaded.
    facts: list[Fact] = ["machine_opened"] if machine else ["opened", "clicked"] if clicked else ["opened"]
    for fact in facts:
        if isinstance(subject, Digest):
            _digest_fact(subject, fact, at)
        else:
            delivery_fact(subject, fact, at)


def _subject(kind: str, subject_id: UUID) -> Delivery | Digest | None:
    if kind == DIGEST_KIND:
        return Digest.objects.filter(id=subject_id).first()
    return Delivery.objects.select_related("notification").filter(id=subject_id).first()


def delivery_fact(delivery: Delivery, fact: Fact, at: datetime) -> bool:
    """Keep when this was so for the first time. Gives whether it was new; ``notification`` is loaded."""
    if not _keep(Delivery.objects.filter(pk=delivery.pk), f"{fact}_at", at):
        return False
    amounts: dict[str, int] = {fact: 1}
    # One that came back after all has not arrived, in whatever order that is reported.
    if fact == "bounced" and delivery.delivered_at is not None:
        amounts["delivered"] = -1
    elif fact == "delivered" and delivery.bounced_at is not None:
        amounts = {}
    count([Change(delivery.notification.event_key, delivery.channel, delivery.created_at, amounts)])
    return True


def _digest_fact(digest: Digest, fact: Fact, at: datetime) -> None:
    """Of a digest only what people did is kept."""
    if fact in ("opened", "clicked") and _keep(Digest.objects.filter(pk=digest.pk), f"{fact}_at", at):
        count([Change("digest", DIGEST, digest.created_at, {fact: 1})])


def digest_deliveries_fact(digest: Digest, deliveries: Iterable[Delivery], fact: Fact, at: datetime) -> None:
    """The same of all that a digest brought, and of the digest when it is new of all of them. It is locked."""
    new = [delivery_fact(one, fact, at) for one in deliveries]
    if new and all(new):
        count([Change("digest", DIGEST, digest.created_at, {fact: 1})])


def _keep(rows: QuerySet[Any], column: str, at: datetime) -> bool:
    if rows.filter(**{f"{column}__isnull": True}).update(**{column: at}):
        return True
    rows.filter(**{f"{column}__gt": at}).update(**{column: at})
    return False
