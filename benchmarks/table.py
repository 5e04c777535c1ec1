"""The table: for the terminal as it grows, and for docs/performance.md."""

import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.processes import ROOT
from benchmarks.row import Figure

DOCUMENT = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- table: written by make bench -->", "<!-- end of table -->"
HEADINGS = ("what", "ours", "counterpart", "ratio", "bar", "verdict")
_WIDTHS = (46, 16, 50, 6, 18, 8)
_PACKAGES = ("Django", "djangorestframework", "granian", "uvicorn", "psycopg")


def heading() -> str:
    return _line(HEADINGS) + "\n" + "  ".join("-" * width for width in _WIDTHS)


def text(figure: Figure) -> str:
    """One line for the terminal."""
    return _line(_cells(figure))


def _line(cells: Sequence[str]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, _WIDTHS, strict=True)).rstrip()


def _cells(figure: Figure) -> list[str]:
    theirs = "" if figure.theirs is None else _amount(figure.theirs, figure.unit)
    return [
        figure.what,
        _amount(figure.ours, figure.unit),
        ": ".join(part for part in (figure.counterpart, theirs) if part),
        "" if figure.ratio is None else f"{figure.ratio:.{2 if figure.ratio >= 0.1 else 3}f}",
        str(figure.bar or ""),
        figure.verdict or "reference",
    ]


def _amount(value: float, unit: str) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:,.{digits}f} {unit}"


def circumstances(*, quick: bool, load: float) -> str:
    """Where and when, and how busy the machine was before (``load``), without which a figure means nothing."""
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    commit = _output("git", "rev-parse", "--short", "HEAD")
    changed = "+" if _output("git", "status", "--porcelain", "--untracked-files=no") else ""
    kind = " A quick run: the figures are rough." if quick else ""
    return (
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {commit}{changed}, {_machine()}, "
        f"Python {platform.python_version()}, {packages}, PostgreSQL {_postgres()}. "
        f"Load average before the run: {load:.1f}.{kind}"
    )


def _machine() -> str:
    models = [line for line in _read("/proc/cpuinfo").splitlines() if line.startswith("model name")]
    model = models[0].partition(":")[2].strip() if models else platform.processor()
    return f"{os.cpu_count()} cores ({model or platform.machine()}), {platform.system()} {platform.release()}"


def _postgres() -> str:
    from platform_site.local.postgres_binaries import find_binaries

    return find_binaries().version


def _read(path: str) -> str:
    file = Path(path)
    return file.read_text() if file.exists() else ""


def _output(*command: str) -> str:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def refresh_document(figures: Sequence[Figure], around: str) -> None:
    """Put the table, and the circumstances it stands for, between the document's markers."""
    rows = [HEADINGS, ("---",) * len(HEADINGS), *map(_cells, figures)]
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    before, _, rest = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    if not after:
        sys.exit(f"{DOCUMENT} has lost its markers {BEGIN} and {END}.")
    DOCUMENT.write_text(f"{before}{BEGIN}\n\n{around}\n\n{table}\n\n{END}{after}", encoding="utf-8")
