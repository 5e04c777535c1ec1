"""What a mail says."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.template.loader import render_to_string

from accounts.links import page_url
from accounts.models import User
from notifications.models import Notification


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail's words. ``template_version`` is of the tenant's own text, None for the default."""

    subject: str
    html: str
    text: str
    template_version: int | None = None
    # The tenant's own text could not be rendered.
    fallback: bool = False


@dataclass(frozen=True, slots=True)
class WayOut:
    """Where the reader may say that it is enough; "" in mails that cannot be turned off."""

    unsubscribe_url: str = ""
    preferences_url: str = ""


def letter_of(told: Notification, way_out: WayOut) -> Letter:
    """The mail about one notification; ``told.user`` is loaded."""
    values = {
        "product": settings.PRODUCT_NAME,
        "name": told.user.display_name,
        "title": told.title,
        "text": told.body,
        "url": page_url(told.action_url) if told.action_url else "",
    }
    text = render_to_string("notifications/mail/notification.txt", values).partition("\n")[2]
    html = render_to_string("notifications/mail/notification.html", values)
    return Letter(told.title, html, text.strip() + "\n")


def letter_of_many(user: User, told: Sequence[Notification], way_out: WayOut, *, more: int = 0) -> Letter:
    """One mail about several, newest first; ``more`` are not shown."""
    subject = f"{len(told) + more} notifications"
    text = "\n".join(f"- {one.title}" for one in told)
    return Letter(subject, f"<pre>{text}</pre>", text)
