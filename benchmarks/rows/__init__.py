"""One file a row, or a few that belong together. ``all_rows`` finds them."""

import inspect
import pkgutil
from importlib import import_module

from benchmarks.row import Row


def all_rows() -> list[Row]:
    """Every row, in the order of their files' names."""
    modules = [import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
    return [
        value()
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, Row)
        and not inspect.isabstract(value)
        and value.__module__ == module.__name__
    ]
