"""Writing down what became of deliveries, and counting it, in one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Final

from django.db import transaction
from django.db.models import Q

from notifications.channels.base import Outcome
from notifications.counting import Change, count
from notifications.models import Delivery

GAVE_UP: Final = "gave_up"
# What may still be sent: also what was given up, when staff re-drive it.
OPEN: Final = Q(status=Delivery.Status.PENDING) | Q(status=Delivery.Status.FAILED, reason=GAVE_UP)


def changes_of(deliveries: Iterable[Delivery], amounts: dict[str, int], reason: str = "") -> list[Change]:
    """The same change of each; ``notification`` is loaded."""
    return [Change(one.notification.event_key, one.channel, one.created_at, amounts, reason) for one in deliveries]


def outcome_of(delivery: Delivery) -> Outcome:
    """What was written down when it was sent."""
    return Outcome(**{one.name: getattr(delivery, one.name) for one in fields(Outcome)})


@transaction.atomic
def deliveries_sent(deliveries: Sequence[Delivery], outcome: Outcome, now: datetime) -> None:
    """The outside world has taken them."""
    _close(
        deliveries,
        Delivery.Status.SENT,
        "",
        {"sent": 1},
        sent_at=now,
        last_error="",
        **asdict(outcome),
    )


@transaction.atomic
def deliveries_suppressed(deliveries: Sequence[Delivery], reason: str) -> None:
    """They were not attempted."""
    _close(deliveries, Delivery.Status.SUPPRESSED, reason, {"suppressed": 1})


@transaction.atomic
def deliveries_failed(deliveries: Sequence[Delivery], reason: str) -> None:
    """They were attempted and are not attempted again by themselves."""
    _close(deliveries, Delivery.Status.FAILED, reason, {"failed": 1})


def _close(
    deliveries: Sequence[Delivery], status: Delivery.Status, reason: str, amounts: dict[str, int], **values: object
) -> None:
    """Only what is still open: of two runners who meet here, one counts."""
    found = Delivery.objects.select_for_update().filter(OPEN, pk__in=[one.pk for one in deliveries])
    before = {row.pk: row for row in found.order_by("pk")}
    mine = [one for one in deliveries if one.pk in before]
    if not mine:
        return
    # One that was given up and re-driven was counted as failed.
    again = [one for one in mine if before[one.pk].status == Delivery.Status.FAILED]
    Delivery.objects.filter(pk__in=[one.pk for one in mine]).update(
        status=status, reason=reason, held_until=None, **values
    )
    count([*changes_of(again, {"failed": -1}, GAVE_UP), *changes_of(mine, amounts, reason)])
