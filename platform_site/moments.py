"""Moments as texts: RFC 3339 with an offset on the way in, UTC with milliseconds and Z on the way out."""

import re
from datetime import UTC, datetime

_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?\d*(?P<offset>Z|[+-]\d\d:\d\d)?", re.IGNORECASE | re.ASCII
)
INVALID = "This must be a time like 2025-01-31T12:00:00Z."
NAIVE = "This time needs an offset from UTC."


# Nearly all are written like this, and Python reads that as it is.
_USUAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3}(?:\d{3})?)?Z", re.ASCII)


class NaiveMoment(ValueError):
    """A time of day somewhere, nobody knows where."""


def read_moment(text: str) -> datetime:
    """The moment in UTC. Raises ``ValueError`` with a sentence for people, ``NaiveMoment`` without an offset."""
    if _USUAL.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(INVALID) from None
    match = _RFC_3339.fullmatch(text)
    if match is None:
        raise ValueError(INVALID)
    if not match["offset"]:
        raise NaiveMoment(NAIVE)
    try:
        return datetime.fromisoformat(match[0].upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(INVALID) from None


def wire_time(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds and Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
