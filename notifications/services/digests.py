"""One mail for many notifications: for who wants digests, and for what quiet hours held back.

A digest is made with its first notification and costs nothing before. Whoever
adds to it holds its row until the end of the transaction, and so does whoever
closes it: nothing is added to one that is on its way. After downtime there is
one digest with everything, because there was one row all the time.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from notifications.counting import DIGEST, Change, count
from notifications.digest_times import next_run
from notifications.models import Delivery, Digest, DigestSetting
from notifications.selectors import company_zone, zone_of
from notifications.services.delivering import DELIVER
from notifications.services.outcomes import OPEN, deliveries_suppressed
from platform_site.ids import uuid7
from platform_site.outbox.clock import working_now
from platform_site.outbox.services import Job, enqueue_jobs, jobs_drop, jobs_move

SEND_DIGEST: Final = "notifications.send_digest"
# As many mails as may come one by one when quiet hours end.
FEW: Final = 3
# The endings after which nothing is tried any more; one that failed may be re-driven.
ENDED: Final = (Digest.Status.SENT, Digest.Status.SKIPPED)


def digest_settings(user_ids: Iterable[int]) -> Mapping[int, DigestSetting]:
    """Of those of these people who want digests."""
    rows = DigestSetting.objects.filter(user_id__in=list(user_ids)).exclude(frequency=DigestSetting.Frequency.OFF)
    return {row.user_id: row for row in rows}


def open_digests(settings: Mapping[int, DigestSetting], zones: Mapping[int, str], now: datetime) -> Mapping[int, UUID]:
    """The digest that takes what these people are told now, by person; made where there is none.

    In the caller's transaction, which holds them until its end. Somebody may be
    missing whose digest was being closed just now: their mail goes by itself.
    """
    if not settings:
        return {}
    rows = [
        Digest(
            id=uuid7(),
            user_id=user_id,
            kind=Digest.Kind.SCHEDULED,
            due_at=_next(settings[user_id], zones[user_id], now),
        )
        for user_id in sorted(settings)
    ]
    Digest.objects.bulk_create(rows, ignore_conflicts=True)
    found = list(
        Digest.objects.select_for_update(no_key=True)
        .filter(user_id__in=settings, kind=Digest.Kind.SCHEDULED, status=Digest.Status.OPEN)
        .order_by("user_id")
    )
    made = {row.id for row in rows}
    new = [one for one in found if one.id in made]
    if new:
        enqueue_jobs(kind=SEND_DIGEST, jobs=[Job(one.id, one.due_at) for one in new])
        count(Change("digest", DIGEST, now, {"created": 1}) for _ in new)
    return {one.user_id: one.id for one in found}


def _next(setting: DigestSetting, zone: str, now: datetime) -> datetime:
    return next_run(setting.frequency, setting.minute, setting.day_of_week, setting.timezone or zone, now)


@transaction.atomic
def digests_changed(*, user_id: int, now: datetime | None = None) -> None:
    """Somebody's settings are others now: what was gathered comes at the new time; at once when there is none."""
    now = now or timezone.now()
    digest = _lock(user_id=user_id, kind=Digest.Kind.SCHEDULED, status=Digest.Status.OPEN)
    if digest is None:
        return
    setting = digest_settings([user_id]).get(user_id)
    zone = zone_of(digest.user, company_zone())
    digest.due_at = now if setting is None else _next(setting, zone, now)
    digest.save(update_fields=["due_at"])
    jobs_move(kind=SEND_DIGEST, subject_ids=[digest.id], due_at=digest.due_at)


@transaction.atomic
def digests_dropped(*, user_id: int) -> None:
    """Somebody wants no digests by mail: what was gathered is not mailed. It stays in the inbox."""
    digest = _lock(user_id=user_id, kind=Digest.Kind.SCHEDULED, status=Digest.Status.OPEN)
    if digest is not None:
        jobs_drop(kind=SEND_DIGEST, subject_ids=[digest.id])
        deliveries_suppressed(gathered(digest), "unsubscribed")
        end(digest, Digest.Status.SKIPPED, {"suppressed": 1})


def _lock(**found: object) -> Digest | None:
    return Digest.objects.select_for_update(of=("self",)).select_related("user").filter(**found).first()


@transaction.atomic
def bundle_what_was_held(delivery: Delivery) -> bool:
    """Let this one and its like go out as one mail, if they are more than a few. Gives whether they do.

    Of several runners who hold one of them each, the first decides for all.
    """
    now = working_now()
    held = Delivery.objects.select_for_update(of=("self",)).filter(
        notification__user_id=delivery.notification.user_id,
        channel=delivery.channel,
        status=Delivery.Status.PENDING,
        held_until__lte=now,
        digest=None,
    )
    ids = list(held.order_by("id").values_list("id", flat=True))
    if delivery.pk not in ids:
        # Somebody else's bundle has it.
        return True
    if len(ids) <= FEW:
        return False
    digest = Digest.objects.create(
        id=uuid7(),
        user_id=delivery.notification.user_id,
        kind=Digest.Kind.HELD,
        status=Digest.Status.CLOSED,
        due_at=now,
    )
    Delivery.objects.filter(id__in=ids).update(digest=digest)
    jobs_drop(kind=DELIVER, subject_ids=[one for one in ids if one != delivery.pk])
    enqueue_jobs(kind=SEND_DIGEST, jobs=[Job(digest.id)])
    count([Change("digest", DIGEST, now, {"created": 1})])
    return True


def gathered(digest: Digest) -> list[Delivery]:
    """What is in it, newest first."""
    rows = Delivery.objects.select_related("notification__user").filter(digest_id=digest.id)
    return list(rows.filter(OPEN).order_by("-id"))


def end(digest: Digest, status: Digest.Status, amounts: dict[str, int], **values: object) -> None:
    """Once, whoever ends it: counted when it changes."""
    rows = Digest.objects.filter(pk=digest.pk).exclude(status__in=ENDED)
    if digest.status == Digest.Status.FAILED:
        amounts = {**amounts, "failed": amounts.get("failed", 0) - 1}
    if rows.update(status=status, **values):
        count([Change("digest", DIGEST, digest.created_at, amounts)])
