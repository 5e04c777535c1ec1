"""Telling administrators that their workspace is going to be deleted, or not any more."""

from datetime import datetime
from uuid import uuid5

from accounts.models import User
from accounts.roles import Role
from platform_site.binding import require_tenant
from platform_site.journal.models import JournalEntry
from platform_site.mail import send_platform_mail
from platform_site.outbox.registry import reaction
from tenancy.catalog import DELETION_SCHEDULED, DELETION_UNDONE
from tenancy.selectors import tenant_get


@reaction(to=DELETION_SCHEDULED, outside=True, while_closed=True)
def mail_deletion_scheduled(entry: JournalEntry) -> None:
    day = datetime.fromisoformat(entry.data["deletionAt"])
    _mail_administrators(entry, "deletion_scheduled", day=day, reason=entry.data["reason"])


@reaction(to=DELETION_UNDONE, outside=True, while_closed=True)
def mail_deletion_undone(entry: JournalEntry) -> None:
    _mail_administrators(entry, "deletion_undone")


def _mail_administrators(entry: JournalEntry, template: str, **values: object) -> None:
    tenant = tenant_get(tenant_id=require_tenant().id)
    for user in User.objects.filter(role=Role.TENANT_ADMIN, status=User.Status.ACTIVE).order_by("id"):
        send_platform_mail(
            to=user.email,
            template=f"accounts/mail/{template}",
            values={"name": user.display_name, "workspace": tenant.name, **values},
            # Each gets a mail of their own, and a repeat is the same one.
            cause=uuid5(entry.id, str(user.uuid)),
        )
