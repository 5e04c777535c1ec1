"""What may stand in an event's metadata: what PostgreSQL keeps, and gives back as it was."""

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
_RESERVED_KEY: Final = b'"$'
_WRITTEN_RESERVED: Final = b"\\u0024"
# What is this short when it comes cannot be too long when it is written anew: at the worst 1e15 gets all its zeros.
SHORT: Final = MAX_BYTES // 8
# A backslash and the digits 0000 in a text are written like this too.
_WRITTEN_NUL: Final = b"\\u0000"
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
    keys = counted(metadata)
    stored = _encoder.encode(metadata)
    # Most have neither, and then nobody has to look at each key and text.
    if _RESERVED_KEY in stored and any(key.startswith(RESERVED) for key in metadata):
        raise _invalid(f"Keys that begin with {RESERVED} are reserved.")
    if _WRITTEN_NUL in stored and _holds_nul(metadata):
        raise _invalid("NUL is not allowed in a text.")
    if len(stored) > MAX_BYTES:
        raise Unfit(errors.METADATA_TOO_LARGE)
    return Raw(stored), keys


def holds_nothing_special(text: bytes) -> bool:
    """Whether there can be no reserved key and no NUL in this JSON: there are no other ways to write them."""
    # A single byte is found at once, and most have neither.
    if b"$" in text and _RESERVED_KEY in text:
        return False
    return b"\\" not in text or (_WRITTEN_RESERVED not in text and _WRITTEN_NUL not in text)


def counted(metadata: dict[str, Any]) -> int:
    """How many keys there are in all. Raises ``Unfit`` for too many, too deep, and numbers that are too large.

    Large doubles in it are changed.
    """
    if len(metadata) > MAX_KEYS:
        raise _invalid(f"Metadata may have {MAX_KEYS} keys.")
    keys = _keys(metadata, 1)
    if keys > MAX_KEYS_IN_ALL:
        raise _invalid(f"Metadata may have {MAX_KEYS_IN_ALL} keys in all.")
    return keys


def _keys(value: dict[str, Any] | list[Any], depth: int) -> int:
    """How many keys there are in it and further in. This is where most of the time goes, with five hundred of them."""
    if depth > MAX_DEPTH:
        raise _invalid(f"Metadata may be nested {MAX_DEPTH} deep.")
    within: Any = value
    mapping = type(value) is dict
    count = len(value) if mapping else 0
    for place, item in within.items() if mapping else enumerate(value):
        kind = type(item)
        if kind is str:
            continue
        if kind is int:
            if not -_LARGEST <= item < _LARGEST:
                # The API has no way to say it: clients would get another number back.
                raise _invalid("A whole number is too large.")
        elif kind is dict or kind is list:
            count += _keys(item, depth + 1)
        elif kind is float and _WRITTEN_SHORT <= abs(item) < _LARGEST:
            # As 6.007789165824158e16 jsonb would take it for the whole number 60077891658241580, which is another one.
            within[place] = Raw(f"{int(item)}.0".encode())
    return count


def _holds_nul(value: Any) -> bool:
    if isinstance(value, dict):
        return any("\x00" in key or _holds_nul(item) for key, item in value.items())
    if isinstance(value, list):
        return any(map(_holds_nul, value))
    return isinstance(value, str) and "\x00" in value


def _invalid(message: str) -> Unfit:
    return Unfit(errors.INVALID_METADATA, message)
