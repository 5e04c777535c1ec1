"""A mail to the person whom a journal entry is about."""

from accounts.models import User
from platform_site.journal.models import JournalEntry
from platform_site.mail import send_platform_mail


def mail_subject(entry: JournalEntry, template: str, **values: object) -> None:
    """Unless the person was erased meanwhile; ``template`` is one of ``accounts/mail``."""
    user = User.objects.filter(uuid=entry.subject_id).exclude(status=User.Status.ERASED).first()
    if user is None:
        return
    send_platform_mail(
        to=user.email,
        template=f"accounts/mail/{template}",
        values={"name": user.display_name, **values},
        cause=entry.id,
    )
