"""Sending a mail again that came back, was given up, or was kept from a suppressed address."""

from typing import Final
from uuid import UUID

from django.db import transaction

from notifications import catalog
from notifications.counting import count
from notifications.models import Delivery
from notifications.services.delivering import DELIVER, LONGEST_WAIT
from notifications.services.outcomes import changes_of
from notifications.services.suppressing import is_suppressed
from platform_site.binding import require_tenant
from platform_site.errors import CONFLICT, NOT_FOUND, PlatformError
from platform_site.journal.services import record
from platform_site.notification_events import EMAIL, notification_events
from platform_site.outbox.clock import working_now
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.services import Job, enqueue_jobs, redrive

# Why a mail was not attempted that may be now.
_SUPPRESSED: Final = "suppression_list"


@transaction.atomic
def delivery_send_again(*, delivery_id: UUID) -> bool:
    """Let it go out once more, by itself and under the same Message-ID. Gives False when it is on its way already.

    What was counted of the attempt before is taken back: the counts say what became of a
    delivery in the end. Raises ``not_found``, and ``conflict`` with a sentence for one that
    arrived, that nobody wanted, that is too old, or whose address is suppressed still.
    """
    rows = Delivery.objects.select_for_update(of=("self",)).select_related("notification__user")
    delivery = rows.filter(id=delivery_id).first()
    if delivery is None:
        raise PlatformError(NOT_FOUND)
    if delivery.status == Delivery.Status.PENDING:
        return False
    count(changes_of([delivery], _counted(delivery), delivery.reason))
    Delivery.objects.filter(pk=delivery.pk).update(
        status=Delivery.Status.PENDING,
        reason="",
        held_until=None,
        digest=None,
        last_error="",
        sent_at=None,
        delivered_at=None,
        bounced_at=None,
    )
    _queue(delivery.id)
    record(
        catalog.DELIVERY_RESENT,
        subject=("delivery", delivery.id),
        data={"eventKey": delivery.notification.event_key, "before": delivery.status, "reason": delivery.reason},
    )
    return True


def _counted(delivery: Delivery) -> dict[str, int]:
    """What to take back. Raises ``conflict`` when there is no sense in another attempt."""
    if working_now() - delivery.created_at > LONGEST_WAIT:
        raise PlatformError(CONFLICT, f"This is older than {LONGEST_WAIT.days} days and says nothing new to anybody.")
    taken_back = {
        (Delivery.Status.SENT, True): {"sent": -1, "bounced": -1},
        (Delivery.Status.FAILED, False): {"failed": -1},
        (Delivery.Status.SUPPRESSED, False): {"suppressed": -1},
    }.get((Delivery.Status(delivery.status), delivery.bounced_at is not None))
    if taken_back is None:
        raise PlatformError(CONFLICT, "Nobody has said that this did not arrive.")
    if delivery.status == Delivery.Status.SUPPRESSED and delivery.reason != _SUPPRESSED:
        raise PlatformError(CONFLICT, f"This was not wanted: {delivery.reason}.")
    told = delivery.notification
    optional = told.event_key not in notification_events or (
        EMAIL not in notification_events.get(told.event_key).mandatory
    )
    if is_suppressed(told.user.email, optional=optional):
        raise PlatformError(CONFLICT, "The address is suppressed. Lift that first.")
    return taken_back


def _queue(delivery_id: UUID) -> None:
    """Its job again: the dead one if it is still there, for there can be only one."""
    dead = OutboxRow.objects.select_for_update().filter(
        tenant_id=require_tenant().id, reaction=DELIVER, entry_id=delivery_id, state=OutboxRow.State.DEAD
    )
    found = dead.values_list("id", flat=True).first()
    if found is not None:
        redrive(row_id=found)
    else:
        enqueue_jobs(kind=DELIVER, jobs=[Job(delivery_id)])
