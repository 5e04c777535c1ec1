"""What a mail says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from accounts.links import page_url
from accounts.models import User
from notifications.mailing.drafting import Own, Words, one_line, words
from notifications.mailing.framing import Frame, WayOut, frame
from notifications.mailing.overrides import LONGEST_SUBJECT, active_override, fell_back
from notifications.mailing.sources import default_source
from notifications.models import Notification
from notifications.selectors import zone_of
from notifications.texts import TemplateError
from platform_site.notification_events import EMAIL, notification_events

__all__ = ["Letter", "WayOut", "letter_of", "letter_of_many"]


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail's words. ``template_version`` is of the tenant's own text, None for the default."""

    subject: str
    html: str
    text: str
    template_version: int | None = None
    # The tenant's own text could not be rendered.
    fallback: bool = False


def letter_of(told: Notification, way_out: WayOut) -> Letter:
    """The mail about one notification; ``told.user`` is loaded.

    A company's own text that cannot be filled never stops a mail: the default goes out.
    """
    event = notification_events.get(told.event_key)
    around = frame(way_out, own_footer=event.category != "security")
    values = {**common_values(told.user, around.company, told.action_url), **told.data}
    default = default_source(event, EMAIL)
    written = active_override(event.key, EMAIL)
    if written is not None:
        own = Own(written.subject, written.body_html, written.body_text)
        try:
            said = words(own, default, values)
        except TemplateError as error:
            fell_back(written, error)
        else:
            return _letter(said, around, template_version=written.version)
    return _letter(words(Own(), default, values), around, fallback=written is not None)


def letter_of_many(user: User, told: Sequence[Notification], way_out: WayOut, *, more: int = 0) -> Letter:
    """One mail about several, newest first; ``more`` are not shown."""
    around = frame(way_out)
    count = len(told) + more
    heading = f"{count} notification{'' if count == 1 else 's'}"
    subject = one_line(f"{heading} from {around.company}")[:LONGEST_SUBJECT]
    shown = {
        "heading": heading,
        "days": _days(told, ZoneInfo(zone_of(user, around.timezone))),
        "more": more,
        "url": page_url("/"),
    }
    text = render_to_string("notifications/mail/digest.txt", shown)
    preheader = ", ".join(one.title for one in told[:3])
    html = around.html("notifications/mail/digest.html", shown, subject=subject, preheader=preheader)
    return Letter(subject, html, around.text(text))


def common_values(user: User, company: str, action_url: str) -> dict[str, Any]:
    """What every mail's texts know; see ``sources.COMMON``."""
    return {
        "user": {"name": user.display_name, "email": user.email},
        "company": {"name": company},
        "product": settings.PRODUCT_NAME,
        "actionUrl": page_url(action_url) if action_url else "",
    }


def framed(said: Words, around: Frame) -> tuple[str, str]:
    """HTML and text as they are sent."""
    values = {"body_html": SafeString(said.html)}
    html = around.html("mail/layout.html", values, subject=said.subject, preheader=said.preheader)
    return html, around.text(said.text)


def _letter(said: Words, around: Frame, *, template_version: int | None = None, fallback: bool = False) -> Letter:
    html, text = framed(said, around)
    return Letter(said.subject, html, text, template_version, fallback)


def _days(told: Sequence[Notification], zone: ZoneInfo) -> list[Mapping[str, Any]]:
    """By the reader's days, in the order in which they came."""
    items: list[dict[str, Any]] = [
        {
            "title": one.title,
            "body": one.body,
            "url": page_url(one.action_url) if one.action_url else "",
            "at": one.created_at.astimezone(zone),
        }
        for one in told
    ]
    grouped = groupby(items, key=lambda item: item["at"].date())
    return [{"day": day, "items": list(of_day)} for day, of_day in grouped]
