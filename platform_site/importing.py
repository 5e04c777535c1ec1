"""Reading a large file row by row, and being able to go on where an earlier run stopped.

A file is CSV with a header, or JSON lines. Its rows are given in batches, with the
place in the file behind the last one; once a batch is stored, that place is
written into a small file beside the report of refused rows. Memory is that of one
batch, whatever the size of the file.
"""

import csv
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from platform_site.api.parsers import loads
from platform_site.errors import PlatformError

FORMATS: Final = ("csv", "jsonl")
# One row longer than this is no row; the API takes no larger body either.
LONGEST_ROW: Final = 1024 * 1024


class UnreadableFile(ValueError):
    """The file is not what it is said to be. A sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row by its number in the file, the first line being 1. ``problem`` is set when it could not be read."""

    line: int
    values: Mapping[str, Any]
    problem: str = ""


@dataclass(slots=True)
class Progress:
    """What is done. ``offset`` is in bytes: everything before it is stored or refused."""

    file: str
    size: int
    modified: int
    offset: int = 0
    line: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    def count(self, name: str, by: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + by


class Source:
    """A file of rows, opened at the place where an earlier run stopped."""

    def __init__(self, path: Path, *, format: str = "") -> None:
        self.path = path
        self.format = format or _format_of(path)
        stat = path.stat()
        self.fresh = Progress(str(path.resolve()), stat.st_size, stat.st_mtime_ns)

    def batches(self, progress: Progress, size: int) -> Iterator[tuple[list[Row], int, int]]:
        """(rows, offset, line) of each batch behind ``progress``; raises ``UnreadableFile``."""
        with self.path.open("rb") as file:
            read = self._csv_rows(file, progress) if self.format == "csv" else self._json_rows(file, progress)
            batch: list[Row] = []
            offset, line = progress.offset, progress.line
            for row, offset, line in read:
                batch.append(row)
                if len(batch) == size:
                    yield batch, offset, line
                    batch = []
            if batch:
                yield batch, offset, line

    def _json_rows(self, file: IO[bytes], progress: Progress) -> Iterator[tuple[Row, int, int]]:
        file.seek(progress.offset)
        line = progress.line
        while text := file.readline(LONGEST_ROW + 1):
            line += 1
            if len(text) > LONGEST_ROW:
                raise UnreadableFile(f"Line {line} has more than {LONGEST_ROW:,} bytes.")
            if text.strip():
                yield _json_row(line, text), file.tell(), line

    def _csv_rows(self, file: IO[bytes], progress: Progress) -> Iterator[tuple[Row, int, int]]:
        lines = _Lines(file)
        header = next(csv.reader(lines), None)
        if not header or len(set(header)) != len(header) or not all(header):
            raise UnreadableFile("The first line of a CSV file has names, each once.")
        if progress.offset:
            lines.go_to(progress.offset, progress.line)
        reader = csv.reader(lines)
        while True:
            # A row begins where the one before it ended, and may have line breaks in it.
            begins = lines.number + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise UnreadableFile(f"Line {begins}: {error}.") from error
            if cells is None:
                return
            if not cells:
                continue
            problem = "" if len(cells) == len(header) else f"{len(cells)} cells where the header has {len(header)}"
            values = {name: cell for name, cell in zip(header, cells, strict=False) if cell != ""}
            yield Row(begins, values, problem), lines.offset, lines.number


class _Lines:
    """Lines of text that know how many bytes were read; the csv module asks for one at a time."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.offset = self.number = 0

    def go_to(self, offset: int, number: int) -> None:
        self._file.seek(offset)
        self.offset, self.number = offset, number

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._file.readline(LONGEST_ROW + 1)
        if not line:
            raise StopIteration
        if len(line) > LONGEST_ROW:
            raise UnreadableFile(f"Line {self.number + 1} has more than {LONGEST_ROW:,} bytes.")
        self.offset += len(line)
        self.number += 1
        try:
            # A spreadsheet program writes a byte order mark before the first name.
            return line.decode("utf-8-sig" if self.number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise UnreadableFile(f"Line {self.number} is not UTF-8.") from None


def _json_row(line: int, text: bytes) -> Row:
    try:
        value = loads(text)
    except PlatformError as error:
        return Row(line, {}, error.message)
    return Row(line, value) if isinstance(value, dict) else Row(line, {}, "a line must be an object")


def _format_of(path: Path) -> str:
    endings = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
    found = endings.get(path.suffix.lower())
    if found is None:
        raise UnreadableFile(f"Say with --format whether {path.name} is csv or jsonl.")
    return found


class Report:
    """Refused rows, one JSON object a line, and beside it the place where the next run goes on."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._state = path.with_name(path.name + ".state")

    def resume(self, fresh: Progress) -> Progress:
        """Where to go on: at the beginning, unless an earlier run of the same unchanged file stopped before its end."""
        if not self._state.exists():
            return fresh
        stored = Progress(**json.loads(self._state.read_text()))
        same = (stored.file, stored.size, stored.modified) == (fresh.file, fresh.size, fresh.modified)
        if not same:
            raise UnreadableFile(
                f"{self._state} is about another file, or the file was changed; delete it to start over."
            )
        return stored

    def open(self, progress: Progress) -> None:
        """Rows refused after the place where we go on are refused again, so what the report says of them is cut off."""
        kept = []
        if progress.offset and self.path.exists():
            kept = [line for line in self.path.read_text().splitlines() if json.loads(line)["line"] <= progress.line]
        self.path.write_text("".join(f"{line}\n" for line in kept))

    def refuse(self, row: Row, code: str, message: str, details: Sequence[Mapping[str, Any]] = ()) -> None:
        entry = {"line": row.line, "code": code, "message": message, "details": list(details), "row": dict(row.values)}
        with self.path.open("a") as file:
            file.write(json.dumps(entry, ensure_ascii=False, default=str) + "\n")

    def store(self, progress: Progress) -> None:
        """Whole or not at all, also when the machine stops in between."""
        beside = self._state.with_name(self._state.name + ".new")
        beside.write_text(json.dumps(asdict(progress)))
        os.replace(beside, self._state)

    def finish(self) -> None:
        self._state.unlink(missing_ok=True)


def import_rows(
    source: Source,
    report: Report,
    *,
    batch: int,
    store: Callable[[list[Row], Progress], None],
    told: Callable[[int], object],
) -> Progress:
    """Give ``store`` batch after batch, from where an earlier run stopped. ``told`` hears how many bytes are done.

    ``store`` counts into the progress and refuses rows by the report; what it raises stops the run, and the next one
    begins with the batch in which it was raised.
    """
    progress = report.resume(source.fresh)
    report.open(progress)
    told(progress.offset)
    for rows, offset, line in source.batches(progress, batch):
        store(rows, progress)
        told(offset - progress.offset)
        progress.offset, progress.line = offset, line
        report.store(progress)
    report.finish()
    return progress
