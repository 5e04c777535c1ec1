"""Reset links, and telling people that a password of theirs is another one or that a new device signed in."""

from typing import Any
from uuid import UUID

from django.conf import settings

from accounts import catalog
from accounts.links import page_url
from accounts.models import LinkToken, User
from accounts.reactions.mailing import mail_subject
from accounts.services.links import link_token
from accounts.services.password_reset import FORGOT, password_forgot_serve
from platform_site.journal.models import JournalEntry
from platform_site.mail import send_platform_mail
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.registry import reaction, request_kind


@request_kind(FORGOT)
def send_reset_link(request_id: UUID, payload: dict[str, Any]) -> None:
    password_forgot_serve(request_id=request_id, payload=payload)


@reaction(to=catalog.PASSWORD_RESET_REQUESTED, outside=True, queue=OutboxRow.Queue.URGENT)
def mail_reset_link(entry: JournalEntry) -> None:
    """Mail the link that was made for the request, unless a newer one or its use made it worthless."""
    live = LinkToken.objects.filter(used_at=None, superseded_at=None, user__status=User.Status.ACTIVE)
    link = live.select_related("user").filter(id=entry.data["linkId"]).first()
    if link is None:
        return
    values = {
        "name": link.user.display_name,
        "url": page_url(f"/reset-password/{link_token(link)}"),
        "minutes": settings.RESET_PASSWORD_SECONDS // 60,
    }
    send_platform_mail(to=link.user.email, template="accounts/mail/reset_password", values=values, cause=entry.id)


@reaction(to=catalog.PASSWORD_RESET, outside=True)
def mail_password_reset(entry: JournalEntry) -> None:
    mail_subject(entry, "password_changed", by_link=True)


@reaction(to=catalog.PASSWORD_CHANGED, outside=True)
def mail_password_changed(entry: JournalEntry) -> None:
    mail_subject(entry, "password_changed", by_link=False)


@reaction(to=catalog.SIGNED_IN, outside=True, queue=OutboxRow.Queue.URGENT)
def mail_new_device(entry: JournalEntry) -> None:
    """Only for a device that was not known: the others are the person's daily ones."""
    if entry.data.get("newDevice"):
        mail_subject(entry, "new_device", at=entry.at, origin=entry.origin)
