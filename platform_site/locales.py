"""Time zones and languages: what counts as one."""

import re
from functools import cache
from typing import Any
from zoneinfo import available_timezones

# Files of the system's database that are no zones anybody lives in.
_ODD = frozenset({"localtime", "Factory", "posixrules", "leapseconds", "tzdata.zi"})
_ODD_FOLDERS = ("posix/", "right/", "SystemV/")
# BCP 47 as far as anybody uses it: language, script, region.
LOCALE_PATTERN = r"[a-z]{2,3}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|[0-9]{3}))?"


@cache
def timezone_names() -> frozenset[str]:
    """The names of the IANA list. Read once: it is a walk over some hundred files."""
    return frozenset(name for name in available_timezones() if name not in _ODD and not name.startswith(_ODD_FOLDERS))


def valid_timezone(value: Any) -> str:
    """The name of a zone as it stands in the list; raises ``ValueError`` with a sentence for people."""
    if value not in timezone_names():
        raise ValueError("This is no time zone of the IANA list, such as Europe/Berlin.")
    return str(value)


def valid_locale(value: Any) -> str:
    """A language tag in its usual form; raises ``ValueError`` with a sentence for people."""
    if not re.fullmatch(LOCALE_PATTERN, str(value)):
        raise ValueError("This is no language tag such as en, de-AT or zh-Hant-TW.")
    return str(value)
