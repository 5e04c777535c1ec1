"""What the tenant allows staff to see."""

from datetime import datetime
from typing import Final

from django.utils import timezone

from tenancy.org_settings.registry import org_settings
from tenancy.org_settings.selectors import setting_value

MESSAGE_ACCESS: Final = "support.message_access_until"
HIDDEN: Final = "[hidden: the customer has not allowed it]"


def messages_may_be_read() -> bool:
    """Whether the bound tenant lets staff read what its people wrote to one another, now. At most one query."""
    if MESSAGE_ACCESS not in org_settings:
        return False
    until = setting_value(org_settings.get(MESSAGE_ACCESS))
    return isinstance(until, datetime) and timezone.now() < until
