"""How long sessions of the bound tenant live: the platform's figures, or the tenant's where they are stricter."""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from accounts import catalog
from tenancy.org_settings.selectors import setting_values


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """``idle``: without a refresh. ``absolute``: whatever happens."""

    idle: timedelta
    absolute: timedelta


def session_lifetimes() -> Lifetimes:
    """One query."""
    chosen = setting_values([catalog.SESSION_IDLE_MINUTES, catalog.SESSION_ABSOLUTE_HOURS])
    return Lifetimes(
        idle=_stricter(settings.SESSION_IDLE_SECONDS, chosen[catalog.SESSION_IDLE_MINUTES.key], unit=60),
        absolute=_stricter(settings.SESSION_ABSOLUTE_SECONDS, chosen[catalog.SESSION_ABSOLUTE_HOURS.key], unit=3600),
    )


def _stricter(seconds: int, chosen: int, *, unit: int) -> timedelta:
    # The platform's figure need not be a whole number of units; the setting's default is that figure, cut short.
    return timedelta(seconds=chosen * unit if chosen < seconds // unit else seconds)
