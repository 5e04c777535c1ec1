"""Preferences that the platform or an app knows by name. A product keeps what it likes under other names."""

import re
from dataclasses import dataclass
from typing import Any

from platform_site.catalog import Catalog

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
MAX_KEYS = 100
# All keys and values together, as JSON.
MAX_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Preference:
    """One thing with fixed ``choices``; the first is what counts when nothing was chosen."""

    key: str
    choices: tuple[str, ...]

    @property
    def default(self) -> str:
        return self.choices[0]


preferences: Catalog[Preference] = Catalog("preferences")


def preference(key: str, *choices: str) -> Preference:
    """Declare a preference, in an app's ``catalog.py``. Raises ``ValueError`` for a key that nobody could send."""
    if not KEY.fullmatch(key) or not choices:
        raise ValueError(f"{key!r} cannot be a preference.")
    return preferences.add(Preference(key, choices))


def effective(stored: dict[str, Any]) -> dict[str, Any]:
    """What was chosen over the defaults. A choice that is none any more does not count."""
    defaults = {item.key: item.default for item in preferences}
    chosen = {
        key: value for key, value in stored.items() if key not in preferences or value in preferences.get(key).choices
    }
    return defaults | chosen


THEME = preference("theme", "system", "light", "dark")
DENSITY = preference("density", "comfortable", "compact")
WEEK_START = preference("weekStart", "monday", "sunday", "saturday")
