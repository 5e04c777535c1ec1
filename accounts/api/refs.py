"""How paths name things: a person by number or by UUID, a profile by its number."""

import re
from uuid import UUID

_NUMBER = r"[1-9][0-9]{0,17}"
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


class UserRefConverter:
    """``<user_ref:ref>`` gives an ``int`` or a ``UUID``; what is neither is no path."""

    regex = f"(?:{_NUMBER}|{_UUID})"

    def to_python(self, value: str) -> int | UUID:
        return int(value) if re.fullmatch(_NUMBER, value) else UUID(value)

    def to_url(self, value: int | UUID) -> str:
        return str(value)


class NumberConverter:
    """``<number:name>`` gives an ``int`` that fits into a column of PostgreSQL; anything else is no path."""

    regex = r"[1-9][0-9]{0,8}"

    def to_python(self, value: str) -> int:
        return int(value)

    def to_url(self, value: int) -> str:
        return str(value)
