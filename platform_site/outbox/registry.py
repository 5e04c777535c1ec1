"""Reactions by journal key, and handlers of requests. Apps register theirs in ``reactions.py``."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from platform_site.catalog import Catalog
from platform_site.journal.keys import JournalKey
from platform_site.journal.models import JournalEntry
from platform_site.outbox.models import OutboxRow

Handler = Callable[[JournalEntry], None]
# What a job gives: when it wants to run again, or None when it is done.
JobHandler = Callable[[UUID], datetime | None]
RequestHandler = Callable[[UUID, dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Reaction:
    """``outside`` reactions touch the world (mail): they run in no transaction and must bear a repeat.

    ``while_closed``: also in a tenant that is suspended or about to be deleted, where everything else waits.
    """

    key: str
    journal_key: str
    handler: Handler
    outside: bool = False
    queue: OutboxRow.Queue = OutboxRow.Queue.DEFAULT
    while_closed: bool = False


reactions: Catalog[Reaction] = Catalog("reactions")
_by_journal_key: dict[str, list[Reaction]] = defaultdict(list)


def reaction(
    to: JournalKey,
    *,
    outside: bool = False,
    queue: OutboxRow.Queue = OutboxRow.Queue.DEFAULT,
    name: str = "",
    while_closed: bool = False,
) -> Callable[[Handler], Handler]:
    """Run the decorated function for every entry of ``to``, at least once, in the tenant.

    Its effects in the database happen once: they commit together with the
    removal of the outbox row. With ``outside=True`` there is no transaction
    around it, and it must make a repeat harmless itself (a stable Message-ID).
    ``name`` is for handlers that are made and not written. ``while_closed`` is for
    telling people that the tenant is closed.
    """

    def register(handler: Handler) -> Handler:
        own_name = name or f"{handler.__module__}.{handler.__name__}"
        added = Reaction(own_name, to.key, handler, outside, queue, while_closed)
        _by_journal_key[to.key].append(reactions.add(added))
        return handler

    return register


def reactions_to(journal_key: str) -> list[Reaction]:
    return _by_journal_key.get(journal_key, [])


@dataclass(frozen=True, slots=True)
class JobKind:
    """``handler`` gets the id of what the job is about, and so does ``gave_up`` when its last attempt failed.

    ``mails``: it tells people something, and once is enough.
    """

    key: str
    handler: JobHandler
    gave_up: Callable[[UUID], None] | None = None
    mails: bool = False


job_kinds: Catalog[JobKind] = Catalog("jobs")


def job_kind(
    key: str, *, gave_up: Callable[[UUID], None] | None = None, mails: bool = False
) -> Callable[[JobHandler], JobHandler]:
    """Run the decorated function for jobs of this kind, at least once, in the tenant and in no transaction.

    It opens its own transactions and must bear a repeat: a process may die
    between its effect and the removal of the row. One that gives a moment runs
    again then, with all its attempts.
    """

    def register(handler: JobHandler) -> JobHandler:
        job_kinds.add(JobKind(key, handler, gave_up, mails))
        return handler

    return register


@dataclass(frozen=True, slots=True)
class RequestKind:
    """``handler`` gets the request's id, the same at every attempt, and what was asked."""

    key: str
    handler: RequestHandler


request_kinds: Catalog[RequestKind] = Catalog("requests")


def request_kind(key: str) -> Callable[[RequestHandler], RequestHandler]:
    """Serve requests of this kind with the decorated function, at least once, outside of any tenant.

    A request is made by somebody who is not signed in, and making it costs the
    same whoever is asked about: only the handler looks. It binds a tenant itself
    when it finds one, and must bear a repeat.
    """

    def register(handler: RequestHandler) -> RequestHandler:
        request_kinds.add(RequestKind(key, handler))
        return handler

    return register
