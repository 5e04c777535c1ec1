"""The catalogue of examinations. An app adds its own from its ``catalog.py``.

An examination only looks. It may block and may raise: it runs in a thread with a
database connection of its own, outside of every tenant. Raising is a problem, and so
is taking longer than ``timeout``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from platform_site.catalog import Catalog


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"  # it works, and somebody should know
    PROBLEM = "problem"
    SKIPPED = "skipped"  # it does not apply, or could not be looked at


class Group(StrEnum):
    """In the order in which they are told."""

    SETTINGS = "settings"
    KEYS = "keys"
    DATABASE = "database"
    ROLES = "roles"
    VALKEY = "valkey"
    WORK = "work"
    TENANTS = "tenants"
    FILES = "files"
    MAIL = "mail"
    BILLING = "billing"


@dataclass(frozen=True, slots=True)
class Finding:
    """``found`` is one line about what is; ``todo`` one about what to do, for whatever is not fine."""

    state: State
    found: str
    todo: str = ""


def fine(found: str) -> Finding:
    return Finding(State.OK, found)


def warning(found: str, todo: str) -> Finding:
    return Finding(State.WARNING, found, todo)


def problem(found: str, todo: str) -> Finding:
    return Finding(State.PROBLEM, found, todo)


def skipped(found: str) -> Finding:
    return Finding(State.SKIPPED, found)


@dataclass(frozen=True, slots=True)
class Examination:
    """``key`` is "group.name". It is skipped while one of ``needs`` is a problem or was skipped itself.

    ``online``: it asks somebody outside of the installation, and runs with ``--online`` only.
    """

    key: str
    examine: Callable[[], Finding]
    needs: tuple[str, ...] = ()
    timeout: float = 10.0
    online: bool = False

    @property
    def group(self) -> Group:
        return Group(self.key.partition(".")[0])


examinations: Catalog[Examination] = Catalog("examinations")

# What most others need.
DATABASE: Final = "database.reachable"
TABLES: Final = "database.migrated"
VALKEY: Final = "valkey.reachable"
