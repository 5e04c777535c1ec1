"""What Docker would send to a build: the files that ``.dockerignore`` lets through."""

import re
from pathlib import Path

from platform_site.local.layout import REPOSITORY


def _pattern(text: str) -> re.Pattern[str]:
    """One line of the file: ``*`` within a name, ``**`` across names, and whatever is below a match."""
    parts = []
    for part in text.strip("/").split("/"):
        parts.append("(?:[^/]+/)*" if part == "**" else re.escape(part).replace(r"\*", "[^/]*") + "/")
    return re.compile("".join(parts).removesuffix("/") + "(?:/.*)?")


def is_sent(path: str, lines: list[str]) -> bool:
    """The last line that fits decides."""
    sent = True
    for line in lines:
        if _pattern(line.removeprefix("!")).fullmatch(path):
            sent = line.startswith("!")
    return sent


def ignore_lines() -> list[str]:
    lines = (REPOSITORY / ".dockerignore").read_text().splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def sent_files(tracked: list[str]) -> list[Path]:
    """Of these paths in the repository, those that are sent."""
    lines = ignore_lines()
    return [Path(path) for path in tracked if is_sent(path, lines)]
