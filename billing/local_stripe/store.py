"""All objects, in memory and, when a file is named, in SQLite as well.

A kind is the name that Stripe gives to a class of objects ("customer", "checkout.session"). Kinds
that begin with "_" are our own and are answered to nobody.
"""

import copy
import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Json = dict[str, Any]
Key = tuple[str, str]


class Store:
    """One writer at a time; a failed transaction leaves nothing behind."""

    def __init__(self, path: Path | None = None) -> None:
        self.lock = threading.RLock()
        self._depth = 0
        self._kinds: dict[str, dict[str, Json]] = {}
        # What each touched object was before the transaction; None for one that is new.
        self._originals: dict[Key, Json | None] = {}
        self._numbers: dict[Key, int] = {}
        self._next_number = 1
        self._file = self._open(path) if path else None

    # -- reading -------------------------------------------------------------------------------

    def get(self, kind: str, id: str) -> Json | None:
        """The object itself, not to be changed without `touch`."""
        return self._kinds.get(kind, {}).get(id)

    def all(self, kind: str) -> list[Json]:
        """In the order in which they were made."""
        return list(self._kinds.get(kind, {}).values())

    # -- writing -------------------------------------------------------------------------------

    def add(self, kind: str, id: str, value: Json) -> Json:
        self._remember(kind, id)
        self._kinds.setdefault(kind, {})[id] = value
        if (kind, id) not in self._numbers:
            self._numbers[kind, id] = self._next_number
            self._next_number += 1
        return value

    def touch(self, kind: str, id: str) -> Json:
        """The object, to be changed in place until the transaction ends."""
        self._remember(kind, id)
        return self._kinds[kind][id]

    def remove(self, kind: str, id: str) -> None:
        self._remember(kind, id)
        self._kinds.get(kind, {}).pop(id, None)

    def next_number(self, series: str) -> int:
        """1, 2, 3, ... for each series, kept over restarts."""
        counter = self.touch("_counter", series) if self.get("_counter", series) else None
        if counter is None:
            counter = self.add("_counter", series, {"last": 0})
        counter["last"] += 1
        return int(counter["last"])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """May be nested; the outermost one decides."""
        with self.lock:
            self._depth += 1
            try:
                yield
            except BaseException:
                if self._depth == 1:
                    self._roll_back()
                raise
            else:
                if self._depth == 1:
                    self._commit()
            finally:
                self._depth -= 1

    def close(self) -> None:
        with self.lock:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _remember(self, kind: str, id: str) -> None:
        if self._depth == 0:
            raise RuntimeError("Objects are changed in a transaction only.")
        if (kind, id) not in self._originals:
            self._originals[kind, id] = copy.deepcopy(self.get(kind, id))

    def _roll_back(self) -> None:
        for (kind, id), original in self._originals.items():
            if original is None:
                self._kinds.get(kind, {}).pop(id, None)
            elif id in self._kinds[kind]:
                self._kinds[kind][id] = original
            else:
                self._put_back(kind, id, original)
        self._originals.clear()

    def _put_back(self, kind: str, id: str, original: Json) -> None:
        """At its old place: the order of a dict is the order of the objects."""
        everything = {**self._kinds[kind], id: original}
        in_order = sorted(everything.items(), key=lambda pair: self._numbers[kind, pair[0]])
        self._kinds[kind] = dict(in_order)

    def _commit(self) -> None:
        changed, self._originals = list(self._originals), {}
        if self._file is None:
            return
        with self._file:
            for kind, id in changed:
                value = self.get(kind, id)
                if value is None:
                    self._file.execute("DELETE FROM records WHERE kind = ? AND id = ?", (kind, id))
                else:
                    row = (kind, id, self._numbers[kind, id], json.dumps(value))
                    self._file.execute("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?)", row)

    def _open(self, path: Path) -> sqlite3.Connection:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Every use is under our lock, whichever thread it is in.
        file = sqlite3.connect(path, check_same_thread=False)
        path.chmod(0o600)  # it holds the secrets of the endpoints
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = NORMAL")
        file.execute(
            "CREATE TABLE IF NOT EXISTS records"
            " (kind TEXT, id TEXT, number INTEGER, value TEXT, PRIMARY KEY (kind, id))"
        )
        for kind, id, number, value in file.execute("SELECT kind, id, number, value FROM records ORDER BY number"):
            self._kinds.setdefault(kind, {})[id] = json.loads(value)
            self._numbers[kind, id] = number
            self._next_number = number + 1
        return file
