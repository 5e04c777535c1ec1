"""What stands beneath a detail page: a few rows of something that belongs to it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

# Enough to see what is going on; the rest is in the list.
ROWS = 20


@dataclass(frozen=True, slots=True)
class Cell:
    """A value that leads somewhere."""

    text: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """``read`` gives the rows for one object, each as its cells, in a fixed number of queries."""

    title: str
    columns: Sequence[str]
    read: Callable[[Any], Iterable[Sequence[Any]]]
    empty: str = "None."


def shown(panels: Iterable[Panel], subject: Any) -> list[dict[str, Any]]:
    """The panels as a template wants them."""
    return [
        {
            "title": panel.title,
            "empty": panel.empty,
            "rows": [
                [(name, cell if isinstance(cell, Cell) else Cell("" if cell is None else str(cell)))
                 for name, cell in zip(panel.columns, row, strict=True)]
                for row in panel.read(subject)
            ],
            "columns": panel.columns,
        }
        for panel in panels
    ]  # fmt: skip
