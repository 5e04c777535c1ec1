"""Reactions by journal key. Apps register theirs in ``reactions.py``; emitters know none of them."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from platform_site.catalog import Catalog
from platform_site.journal.keys import JournalKey
from platform_site.journal.models import JournalEntry

Handler = Callable[[JournalEntry], None]


@dataclass(frozen=True, slots=True)
class Reaction:
    """``outside`` reactions touch the world (mail): they run in no transaction and must bear a repeat."""

    key: str
    journal_key: str
    handler: Handler
    outside: bool = False


reactions: Catalog[Reaction] = Catalog("reactions")
_by_journal_key: dict[str, list[Reaction]] = defaultdict(list)


def reaction(to: JournalKey, *, outside: bool = False) -> Callable[[Handler], Handler]:
    """Run the decorated function for every entry of ``to``, at least once, in the tenant.

    Its effects in the database happen once: they commit together with the
    removal of the outbox row. With ``outside=True`` there is no transaction
    around it, and it must make a repeat harmless itself (a stable Message-ID).
    """

    def register(handler: Handler) -> Handler:
        name = f"{handler.__module__}.{handler.__name__}"
        _by_journal_key[to.key].append(reactions.add(Reaction(name, to.key, handler, outside)))
        return handler

    return register


def reactions_to(journal_key: str) -> list[Reaction]:
    return _by_journal_key.get(journal_key, [])
