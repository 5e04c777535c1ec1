"""What the set-up asks of events."""

from typing import Final

from events.models import Event
from platform_site.setup_tasks import CheckResult

# Under this name the platform itself writes what happened to its people.
THE_PLATFORM: Final = "accounts"


def module_has_written() -> CheckResult:
    """Whether a module of the product wrote down that something happened."""
    return CheckResult(Event.objects.exclude(app=THE_PLATFORM).exists())
