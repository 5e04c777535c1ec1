"""What a mail carries so that its reader, and its provider, can answer."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID

from django.conf import settings

from accounts.models import User
from notifications.mailing.letters import Letter, WayOut
from notifications.mailing.links import with_links, with_pixel
from notifications.mailing.tokens import DIGEST_SCOPE, EVERYTHING_SCOPE, Purpose, make_mail_token
from notifications.models import DigestSetting
from notifications.selectors import policy
from notifications.services.consent import tracked_ways
from notifications.wishes import wish
from platform_site.notification_events import EMAIL, NotificationEvent

# A signed address has to fit into a link that all mail programs follow.
LONGEST_LINK: Final = 1500


def way_out(user: User, event: NotificationEvent | None, delivery_id: UUID | None = None) -> WayOut:
    """For mail about this event, or for a digest when it is None. Nothing for what nobody can turn off.

    ``delivery_id`` is the mail's, to be counted. Who wants no digests gets one when
    quiet hours end; what it brings cannot be told apart, so its link is about all mail.
    """
    if event is not None and wish(event, EMAIL, policy(event_key=event.key), {}).locked:
        return WayOut()
    if event is not None:
        scope = f"{event.key}:{delivery_id.hex if delivery_id else ''}"
    elif DigestSetting.objects.filter(user=user).exclude(frequency=DigestSetting.Frequency.OFF).exists():
        scope = DIGEST_SCOPE
    else:
        scope = EVERYTHING_SCOPE
    url = f"{settings.PUBLIC_URL}/unsubscribe/{make_mail_token(Purpose.UNSUBSCRIBE, user.uuid, scope)}"
    return WayOut(url, url)


def list_headers(out: WayOut) -> Mapping[str, str]:
    """RFC 8058 and RFC 2369; none without a way out."""
    if not out.unsubscribe_url:
        return {}
    return {
        "List-Unsubscribe": f"<{out.unsubscribe_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def provider_metadata(kind: str, subject_id: UUID) -> Mapping[str, str]:
    """What names the delivery ("d") or digest ("g") in a provider's reports: opaque, and names the tenant."""
    return {"ref": make_mail_token(Purpose.REPORT, subject_id, kind)}


def tracked(letter: Letter, *, user: User, kind: str, subject_id: UUID, security: bool) -> Letter:
    """The letter with its links and a pixel that report back, where settings and the reader's consent allow it."""
    ways = tracked_ways(user.id) if not security else None
    if ways is None or not (ways.opens or ways.clicks):
        return letter
    html = letter.html
    if ways.clicks:
        html = with_links(html, lambda url: _reporting(url, kind, subject_id))
    if ways.opens:
        token = make_mail_token(Purpose.OPEN, subject_id, kind)
        html = with_pixel(html, f"{settings.PUBLIC_URL}/t/o/{token}.gif")
    return replace(letter, html=html)


def _reporting(url: str, kind: str, subject_id: UUID) -> str:
    """The address that reports and leads on; the same where it must not."""
    if len(url) > LONGEST_LINK or url.startswith(f"{settings.PUBLIC_URL}/unsubscribe/"):
        return url
    return f"{settings.PUBLIC_URL}/t/c/{make_mail_token(Purpose.CLICK, subject_id, f'{kind}{url}')}"
