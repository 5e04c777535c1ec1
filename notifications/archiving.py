"""What coming back from a backup, and moving, mean for mail: nothing is sent twice, and old rows go."""

from django.db.models import Exists, OuterRef, QuerySet

from notifications.models import Delivery, Digest
from notifications.services import retention
from platform_site.archiving import AfterLoading, after_loading
from platform_site.binding import require_tenant
from platform_site.outbox.models import OutboxRow

RESTORED = "restored"


def _settle(_: object) -> None:
    """What waited to be sent when the backup was made, and has no job any more, was sent since: not again."""
    waiting = OutboxRow.objects.filter(tenant_id=require_tenant().id, entry_id=OuterRef("pk"))
    lost = Digest.objects.filter(status__in=[Digest.Status.OPEN, Digest.Status.CLOSED]).exclude(Exists(waiting))
    gathered: QuerySet[Delivery] = Delivery.objects.filter(digest__in=lost)
    alone = Delivery.objects.filter(digest=None).exclude(Exists(waiting))
    for deliveries in (gathered, alone):
        deliveries.filter(status=Delivery.Status.PENDING).update(status=Delivery.Status.SUPPRESSED, reason=RESTORED)
    lost.update(status=Digest.Status.SKIPPED)
    retention.arm()


after_loading.add(AfterLoading("notifications.mail", _settle))
