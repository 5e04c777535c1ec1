"""What works in a workspace that was not paid for: data on the view, enforced in one place.

Exempt are views, not methods alone: signing in, paying and taking the own data
along have to work, whatever verb they use.
"""

from enum import Enum

from django.conf import settings
from django.utils import timezone

from platform_site.api.identity import Identity
from platform_site.errors import SUBSCRIPTION_REQUIRED, PlatformError, error_codes

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class WhenUnpaid(Enum):
    """How long a view goes on working."""

    # Reading until the workspace is blocked.
    READS = "reads"
    # All of it until the workspace is blocked: tidying up, and marks of what was read.
    CONTINUES = "continues"
    # Always: signing in, billing, export.
    ALWAYS = "always"


def may_be_refused(rule: WhenUnpaid) -> bool:
    """Whether such a view can ever answer 402."""
    return rule is not WhenUnpaid.ALWAYS


def refuse_unpaid(rule: WhenUnpaid, method: str, identity: object) -> None:
    """Raises the 402 code that says what is missing. Takes no query: the session record brings what it needs."""
    if not settings.BILLING_CONFIGURED or not isinstance(identity, Identity) or rule is WhenUnpaid.ALWAYS:
        return
    access = identity.tenant.access
    level = access.level(timezone.now())
    if level == "full" or (level == "read_only" and (rule is WhenUnpaid.CONTINUES or method in _READING)):
        return
    code = error_codes.get(access.reason) if access.reason in error_codes else SUBSCRIPTION_REQUIRED
    raise PlatformError(code, context={"access": level, "manageUrl": f"{settings.FRONTEND_URL}/billing"})
