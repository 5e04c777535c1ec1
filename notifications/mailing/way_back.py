"""What a mail carries so that its reader, and its provider, can answer."""

from collections.abc import Mapping
from uuid import UUID

from accounts.models import User
from notifications.mailing.letters import Letter, WayOut
from platform_site.notification_events import NotificationEvent


def way_out(user: User, event: NotificationEvent | None) -> WayOut:
    """For mail about this event, or for a digest when it is None. Nothing for what is mandatory."""
    return WayOut()


def list_headers(out: WayOut) -> Mapping[str, str]:
    """RFC 8058 and RFC 2369; none without a way out."""
    return {}


def provider_metadata(kind: str, subject_id: UUID) -> Mapping[str, str]:
    """What names the delivery ("d") or digest ("g") in a provider's reports: opaque, and names the tenant."""
    return {}


def tracked(letter: Letter, *, user: User, kind: str, subject_id: UUID, security: bool) -> Letter:
    """The letter with its links and a pixel that report back, where settings and the reader's consent allow it."""
    return letter


def suppressed(email: str, *, optional: bool) -> bool:
    """Whether this address gets no mail from the bound tenant."""
    return False
