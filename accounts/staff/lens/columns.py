"""Columns of the lens that are more than a field."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from unfold.decorators import display

Column = TypeVar("Column", bound=Callable[..., str])


def badge(description: str, colors: Mapping[str, str] | None = None) -> Callable[[Column], Column]:
    """A word on a coloured ground; ``colors`` by what the column says: success, info, warning or danger."""

    def decorate(column: Column) -> Column:
        shown: Any = display(description=description, label=dict(colors) if colors else True)(column)
        return shown  # type: ignore[no-any-return]

    return decorate
