"""``Catalog``: a typed table that apps fill and that refuses duplicates."""

from collections.abc import Hashable, Iterator
from typing import Generic, Protocol, TypeVar


class Keyed(Protocol):
    """An entry names itself by ``key``."""

    @property
    def key(self) -> Hashable: ...


Entry = TypeVar("Entry", bound=Keyed)


class DuplicateEntry(Exception):
    """Two entries claim the same key; the second one is refused at start-up."""


class UnknownEntry(LookupError):
    """Somebody used a key that no app put into the catalogue."""


class Catalog(Generic[Entry]):
    """Entries by key, in the order in which they were added."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._entries: dict[Hashable, Entry] = {}

    def add(self, entry: Entry) -> Entry:
        """Put ``entry`` in and give it back, so that a module can keep its name for it."""
        if entry.key in self._entries:
            raise DuplicateEntry(f"{self.name}: {entry.key!r} is there already.")
        self._entries[entry.key] = entry
        return entry

    def get(self, key: Hashable) -> Entry:
        try:
            return self._entries[key]
        except KeyError:
            raise UnknownEntry(f"{self.name}: no entry {key!r}.") from None

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._entries.values())

    def __len__(self) -> int:
        return len(self._entries)
