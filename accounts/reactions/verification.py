"""The mail that proves an address, and the warning about a stolen token."""

from accounts import catalog
from accounts.links import page_url
from accounts.models import LinkToken, User
from accounts.services.links import link_token
from platform_site.journal.models import JournalEntry
from platform_site.mail import send_platform_mail
from platform_site.outbox.registry import reaction


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
    send_platform_mail(
        to=user.email,
        template="accounts/mail/verify_email",
        values={"name": user.display_name, "url": page_url(f"/verify-email/{link_token(link)}")},
        cause=entry.id,
    )


@reaction(to=catalog.REFRESH_REUSED, outside=True)
def mail_session_warning(entry: JournalEntry) -> None:
    """Tell the owner that a session was ended because two devices used one token."""
    user = User.objects.get(uuid=entry.subject_id)
    send_platform_mail(
        to=user.email, template="accounts/mail/session_ended", values={"name": user.display_name}, cause=entry.id
    )
