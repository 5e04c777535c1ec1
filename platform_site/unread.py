"""The catalogue of unread counters, which apps fill in their ``catalog.py``, and all of them in one statement.

A badge is no reason for an error: a counter that fails or takes too long is 0 and
says that it is not available, and the others are as they are.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import structlog
from django.db import DatabaseError, connection, transaction

from platform_site.catalog import Catalog

log = structlog.get_logger(__name__)

Status = Literal["ok", "unavailable", "not_configured"]

# What clients always find, whether or not something counts it here.
ALWAYS_SHOWN: Final = ("email", "tasks", "chat", "notifications")
# How long one statement may take.
BUDGET_MS: Final = 300
_KEY = re.compile(r"[a-z][a-z_]*")


@dataclass(frozen=True, slots=True)
class UnreadSource:
    """``statement``: SQL in the tenant's schema that gives (user, count) for those of ``%(users)s`` who have any.

    Or a function that gives it, for one in which stands what is known only when all apps are loaded.
    """

    key: str
    statement: str | Callable[[], str]

    @property
    def sql(self) -> str:
        return self.statement if isinstance(self.statement, str) else self.statement()

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise ValueError(f"{self.key!r} is not the name of a counter.")


unread_sources: Catalog[UnreadSource] = Catalog("unread counters")


@dataclass(frozen=True, slots=True)
class Unread:
    """Somebody's counts, and how each of them was come by."""

    counts: Mapping[str, int]
    statuses: Mapping[str, Status]


def joint_statement(sources: Iterable[UnreadSource] | None = None) -> str:
    """One statement for all counters: (key, user, count) of ``%(users)s``. For any connection in the tenant's schema.

    "" when nothing counts.
    """
    parts = (
        f"SELECT '{source.key}', counted.* FROM ({source.sql}) AS counted"  # noqa: S608 - constants of apps
        for source in (unread_sources if sources is None else sources)
    )
    return " UNION ALL ".join(parts)


def unread_of(user_id: int) -> Unread:
    """What one person has not read, by counter. One statement, and one for each counter only when that one failed."""
    sources = list(unread_sources)
    counts = _counted(sources, user_id)
    failed: set[str] = set()
    if counts is None:
        counts = {}
        for source in sources:
            own = _counted([source], user_id)
            if own is None:
                failed.add(source.key)
            else:
                counts |= own
    keys = [*ALWAYS_SHOWN, *(source.key for source in sources if source.key not in ALWAYS_SHOWN)]
    return Unread(
        counts={key: counts.get(key, 0) for key in keys},
        statuses={
            key: "not_configured" if key not in unread_sources else "unavailable" if key in failed else "ok"
            for key in keys
        },
    )


def _counted(sources: Sequence[UnreadSource], user_id: int) -> dict[str, int] | None:
    """What these counters say, or None when one of them fails."""
    if not sources:
        return {}
    # In one round trip. The last word is for a caller who is in a transaction already.
    statement = (
        f"SET LOCAL statement_timeout = {BUDGET_MS}; {joint_statement(sources)}; SET LOCAL statement_timeout TO DEFAULT"
    )
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement, {"users": [user_id]})
            cursor.nextset()
            return {key: count for key, _, count in cursor.fetchall()}
    except DatabaseError as error:
        log.warning("unread.not_counted", sources=[source.key for source in sources], error=type(error).__name__)
        return None
