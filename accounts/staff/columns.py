"""Columns of staff's lists that are more than a field. A plain one is Django's ``display(description=…)``."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.utils.html import format_html
from unfold.decorators import display

Column = TypeVar("Column", bound=Callable[..., str])


def badge(description: str, colors: Mapping[str, str] | None = None) -> Callable[[Column], Column]:
    """A word on a coloured ground; ``colors`` by what the column says: success, info, warning or danger."""

    def decorate(column: Column) -> Column:
        shown: Any = display(description=description, label=dict(colors) if colors else True)(column)
        return shown  # type: ignore[no-any-return]

    return decorate


def when(name: str, title: str) -> Callable[[Any, Any], str]:
    """A column with the row's moment of this name, in UTC, short enough for a list."""

    def shown(self: Any, row: Any) -> str:
        moment: datetime | None = getattr(row, name)
        if moment is None:
            return "–"
        return format_html('<span class="whitespace-nowrap">{}</span>', f"{moment:%Y-%m-%d %H:%M}")

    made: Callable[[Any, Any], str] = display(description=f"{title} (UTC)", ordering=name)(shown)
    return made


def moment_text(moment: datetime | None) -> str:
    """A moment where no heading says that it is in UTC; "" for none."""
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else ""
