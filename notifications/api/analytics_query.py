"""Which days, and which notifications, a query about analytics means."""

import re
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from django.utils import timezone
from rest_framework.request import Request

from notifications import errors
from notifications.analytics import Span
from notifications.channels import CHANNELS
from notifications.selectors import company_zone
from platform_site.api.pagination import single_parameter
from platform_site.errors import VALIDATION_FAILED, FieldError, PlatformError, invalid_field
from platform_site.notification_events import IN_APP, notification_events

SPAN_PARAMETERS: Final = ("from", "to")
DATE: Final = {"type": "string", "format": "date"}
USUAL_DAYS: Final = 30
MOST_DAYS: Final = 366
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def span_of(request: Request) -> Span:
    """The days that ``from`` and ``to`` name; raises ``validation_failed`` or ``range_too_large``."""
    zone = company_zone()
    last = _date(request, "to") or timezone.now().astimezone(ZoneInfo(zone)).date()
    first = _date(request, "from") or date.fromordinal(max(last.toordinal() - USUAL_DAYS + 1, 1))
    if first > last:
        raise _refused("from", "This is after the last day.")
    if last - first >= timedelta(days=MOST_DAYS):
        raise invalid_field("from", errors.RANGE_TOO_LARGE)
    return Span(first, last, zone)


def event_of(request: Request) -> str:
    """The event that is asked for, "" for all; raises ``unknown_event``."""
    key = single_parameter(request, "eventKey")
    if key is not None and key not in notification_events:
        raise invalid_field("eventKey", errors.UNKNOWN_EVENT)
    return key or ""


def channel_of(request: Request) -> str:
    """The channel that is asked for, "" for all; raises ``unknown_channel``."""
    channel = single_parameter(request, "channel")
    if channel is not None and channel not in (IN_APP, *CHANNELS):
        raise invalid_field("channel", errors.UNKNOWN_CHANNEL)
    return channel or ""


def _date(request: Request, name: str) -> date | None:
    text = single_parameter(request, name)
    if text is None:
        return None
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else _no_date(name)
    except ValueError:
        return _no_date(name)


def _no_date(name: str) -> date:
    raise _refused(name, "Give a day as 2026-11-23.")


def _refused(name: str, message: str) -> PlatformError:
    return PlatformError(VALIDATION_FAILED, details=[FieldError(name, "invalid", message)])
