"""What coming back from a backup, and moving, mean for mail."""

from django.db.models import Exists, OuterRef, QuerySet

from accounts.emails import email_key
from notifications.email_settings.smtp_server import password_place
from notifications.models import Delivery, Digest, SmtpServer, Suppression
from notifications.services import retention
from notifications.services.suppressing import address_hash
from platform_site.archiving import AfterImport, AfterRestore, SealedColumn, after_import, after_restore, sealed_columns
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


def _hash_again() -> None:
    """Addresses that get no mail are found by a hash under this installation's key."""
    for row in Suppression.objects.exclude(email="").iterator(chunk_size=1000):
        Suppression.objects.filter(pk=row.pk).update(address_hash=address_hash(email_key(row.email)))
    _settle(None)


sealed_columns.add(SealedColumn(SmtpServer, "sealed_password", password_place))
after_restore.add(AfterRestore("notifications.mail", _settle))
after_import.add(AfterImport("notifications.mail", _hash_again))
