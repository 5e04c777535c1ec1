"""Names as they are written on the wire."""

import re

_UNDERSCORE = re.compile(r"_([a-z0-9])")


def camel(name: str) -> str:
    """``first_name`` becomes ``firstName``."""
    return _UNDERSCORE.sub(lambda match: match[1].upper(), name)
