"""The mail with an invitation, whenever a link for one was made."""

from accounts import catalog
from accounts.links import page_url
from accounts.models import LinkToken, User
from accounts.services.links import link_token
from platform_site.binding import require_tenant
from platform_site.journal.models import JournalEntry
from platform_site.mail import send_platform_mail
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.registry import reaction
from tenancy.models import Tenant


@reaction(to=catalog.USER_INVITED, outside=True, queue=OutboxRow.Queue.URGENT)
def mail_invitation(entry: JournalEntry) -> None:
    _mail(entry)


@reaction(to=catalog.INVITATION_RESENT, outside=True, queue=OutboxRow.Queue.URGENT)
def mail_invitation_again(entry: JournalEntry) -> None:
    _mail(entry)


def _mail(entry: JournalEntry) -> None:
    """Unless a newer link, its use or the person's leaving made this one worthless."""
    live = LinkToken.objects.filter(used_at=None, superseded_at=None, user__status=User.Status.PENDING)
    link = live.select_related("user", "sender").filter(id=entry.data["linkId"]).first()
    if link is None:
        return
    company = Tenant.objects.values_list("name", flat=True).get(id=require_tenant().id)
    values = {
        "name": link.user.display_name,
        "company": company,
        "sender": link.sender.display_name if link.sender else company,
        "url": page_url(f"/accept-invitation/{link_token(link)}"),
        "days": (link.expires_at - link.created_at).days,
    }
    send_platform_mail(to=link.user.email, template="accounts/mail/invitation", values=values, cause=entry.id)
