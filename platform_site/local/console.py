"""What the terminal shows, and what goes to the log files."""

import os
import re
import sys
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TextIO

_COLOURS = ("36", "33", "35", "32", "34", "96", "93", "95")
_COLOUR_CODE = re.compile(r"\x1b\[[0-9;]*m")
_LARGEST_LOG = 5 * 1024 * 1024
_LONGEST_LINE = 64 * 1024
_TAIL = 40
_TRACEBACK = "Traceback (most recent call last)"


class Console:
    """The terminal.  A terminal that goes away silences us but stops nothing."""

    def __init__(self, stream: TextIO | None = None, *, environ: Mapping[str, str] = os.environ):
        self._stream: TextIO | None = stream or sys.stdout
        self.colourful = self._stream.isatty() and "NO_COLOR" not in environ
        self._colour_of: dict[str, str] = {}

    def say(self, text: str = "") -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(f"{text}\n")
            self._stream.flush()
        except OSError:
            self._stream = None

    def note(self, text: str) -> None:
        self.say(self.paint(f"  {text}", "2"))

    def problem(self, text: str) -> None:
        self.say(self.paint(text, "1;31"))

    def from_part(self, name: str, line: str) -> None:
        colour = self._colour_of.setdefault(name, _COLOURS[len(self._colour_of) % len(_COLOURS)])
        self.say(f"{self.paint(f'{name:>9} |', colour)} {line}")

    def paint(self, text: str, colour: str) -> str:
        return f"\033[{colour}m{text}\033[0m" if self.colourful else text


class PartOutput:
    """Everything one part prints: all of it to its log file, some of it to the terminal."""

    def __init__(self, name: str, log_dir: Path, console: Console, *, shows: re.Pattern[str]) -> None:
        self._name = name
        self._console = console
        self._shows = shows
        self._in_traceback = False
        self._log = _open_log(log_dir / f"{name}.log")
        self._rest = b""
        self.tail: deque[str] = deque(maxlen=_TAIL)
        self.shown = False

    def feed(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        # A part that never ends its line must not fill our memory.
        if len(self._rest) > _LONGEST_LINE:
            lines.append(self._rest)
            self._rest = b""
        for line in lines:
            self._take(line)
        self._log.flush()

    def finish(self) -> None:
        """The part has ended; what stood on an unfinished line counts as one."""
        if self._rest:
            self._take(self._rest)
            self._rest = b""
        self._log.flush()

    def close(self) -> None:
        self._log.close()

    def _take(self, raw: bytes) -> None:
        line = raw.decode(errors="replace").rstrip("\r")
        # Colours are for the terminal; in a file, and for the search for words, they are noise.
        plain = _COLOUR_CODE.sub("", line)
        self._log.write(f"{plain}\n".encode())
        self.tail.append(plain)
        if self._matters(plain) and self.shown:
            self._console.from_part(self._name, line if self._console.colourful else plain)

    def _matters(self, line: str) -> bool:
        """A traceback matters as a whole: its indented lines and the one that ends it."""
        was_inside = self._in_traceback
        self._in_traceback = _TRACEBACK in line or (was_inside and line.startswith(" "))
        return was_inside or self._in_traceback or bool(self._shows.search(line))


def _open_log(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > _LARGEST_LOG:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")
