"""What may stand in an event's metadata: what PostgreSQL keeps, and gives back as it was."""

from collections.abc import Iterable
from typing import Any, Final

from msgspec import Raw
from msgspec.json import Encoder

from events import errors
from platform_site.errors import ErrorCode

MAX_BYTES: Final = 32 * 1024
MAX_DEPTH: Final = 10
MAX_KEYS: Final = 300
MAX_KEYS_IN_ALL: Final = 5_000
# Keys that begin with it are the platform's own, at the top; further in they belong to the sender.
RESERVED: Final = "$"
_LARGEST: Final = 2**63
# From here on msgspec writes a double with an exponent.
_WRITTEN_SHORT: Final = 1e16
_encoder: Final = Encoder()
NOTHING: Final = Raw(b"{}")


class Unfit(ValueError):
    """It cannot be stored; the code and a sentence for people."""

    def __init__(self, code: ErrorCode, message: str = "") -> None:
        super().__init__(message or code.message)
        self.code = code


def packed(metadata: dict[str, Any]) -> tuple[Raw, int]:
    """As it is stored, and how many keys it has in all. Raises ``Unfit``. Large doubles in it are changed."""
    if len(metadata) > MAX_KEYS:
        raise _invalid(f"Metadata may have {MAX_KEYS} keys.")
    if any(key.startswith(RESERVED) for key in metadata):
        raise _invalid(f"Keys that begin with {RESERVED} are reserved.")
    keys = _keys(metadata, 1)
    if keys > MAX_KEYS_IN_ALL:
        raise _invalid(f"Metadata may have {MAX_KEYS_IN_ALL} keys in all.")
    stored = _encoder.encode(metadata)
    if len(stored) > MAX_BYTES:
        raise Unfit(errors.METADATA_TOO_LARGE)
    return Raw(stored), keys


def _keys(value: dict[str, Any] | list[Any], depth: int) -> int:
    """How many keys there are in it and further in."""
    if depth > MAX_DEPTH:
        raise _invalid(f"Metadata may be nested {MAX_DEPTH} deep.")
    count = 0
    within: Any = value
    places: Iterable[tuple[Any, Any]]
    if isinstance(value, dict):
        count, places = len(value), value.items()
        for key in value:
            if "\x00" in key:
                raise _invalid("A key contains NUL.")
    else:
        places = enumerate(value)
    for place, item in places:
        kind = type(item)
        if kind is str:
            if "\x00" in item:
                raise _invalid("A text contains NUL.")
        elif kind is dict or kind is list:
            count += _keys(item, depth + 1)
        elif kind is int:
            if not -_LARGEST <= item < _LARGEST:
                # The API has no way to say it: clients would get another number back.
                raise _invalid("A whole number is too large.")
        elif kind is float and _WRITTEN_SHORT <= abs(item) < _LARGEST:
            # As 6.007789165824158e16 jsonb would take it for the whole number 60077891658241580, which is another one.
            within[place] = Raw(f"{int(item)}.0".encode())
    return count


def _invalid(message: str) -> Unfit:
    return Unfit(errors.INVALID_METADATA, message)
