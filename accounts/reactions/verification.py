"""The mail that proves an address, and the warning about a stolen token."""

from typing import Any
from uuid import UUID

from accounts import catalog
from accounts.links import page_url
from accounts.models import LinkToken, User
from accounts.reactions.mailing import mail_subject
from accounts.services.links import link_token
from accounts.services.verification import RESEND, verification_resend_serve
from platform_site.journal.models import JournalEntry
from platform_site.mail import send_platform_mail
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.registry import reaction, request_kind


@reaction(to=catalog.USER_REGISTERED, outside=True)
def mail_verification_link(entry: JournalEntry) -> None:
    """Mail the link that was made with the sign-up."""
    user = User.objects.get(uuid=entry.subject_id)
    link = (
        LinkToken.objects.filter(user=user, kind=LinkToken.Kind.VERIFY_EMAIL, superseded_at=None)
        .order_by("-created_at")
        .first()
    )
    if link is None or user.email_verified:
        return
    _mail_link(link, entry)


@request_kind(RESEND)
def send_verification_link(request_id: UUID, payload: dict[str, Any]) -> None:
    verification_resend_serve(request_id=request_id, payload=payload)


@reaction(to=catalog.VERIFICATION_REQUESTED, outside=True, queue=OutboxRow.Queue.URGENT)
def mail_requested_verification_link(entry: JournalEntry) -> None:
    """Mail the link that was made for the request, unless a newer one or its use made it worthless."""
    live = LinkToken.objects.filter(used_at=None, superseded_at=None, user__email_verified_at=None)
    link = live.select_related("user").filter(id=entry.data["linkId"], user__status=User.Status.ACTIVE).first()
    if link is not None:
        _mail_link(link, entry)


@reaction(to=catalog.REFRESH_REUSED, outside=True)
def mail_session_warning(entry: JournalEntry) -> None:
    """Tell the owner that a session was ended because two devices used one token."""
    mail_subject(entry, "session_ended")


def _mail_link(link: LinkToken, entry: JournalEntry) -> None:
    send_platform_mail(
        to=link.user.email,
        template="accounts/mail/verify_email",
        values={"name": link.user.display_name, "url": page_url(f"/verify-email/{link_token(link)}")},
        cause=entry.id,
    )
