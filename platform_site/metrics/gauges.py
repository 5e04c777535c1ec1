"""How things stand: numbers that are read when somebody asks, from the database and not from the processes.

Every web process tells the same, so a dashboard takes the largest. Nothing here uses the
connections of requests, and two scrapes within some seconds cost one look.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, LiteralString

import psycopg
import structlog

from platform_site.beside import SOON, connect_beside
from platform_site.catalog import Catalog

log = structlog.get_logger(__name__)

KEPT_SECONDS: Final = 10.0
STATEMENT_MS: Final = 2000


@dataclass(frozen=True, slots=True)
class Gauge:
    """``statement`` gives the value of each set of ``labels``: first the labels, then the number.

    ``zeros`` are sets of labels that are said to be 0 where the statement is silent about them: what is missing cannot
    be compared with a threshold.
    """

    key: str
    help_text: str
    labels: tuple[str, ...]
    statement: LiteralString
    params: Callable[[], Mapping[str, Any]] = dict
    zeros: tuple[tuple[str, ...], ...] = ()


gauges: Catalog[Gauge] = Catalog("gauges")

UP: Final = "core_database_up"

Samples = list[tuple[Gauge, list[tuple[tuple[str, ...], float]]]]


class Look:
    """The last look at the database, kept for a moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._samples: Samples | None = None
        self._until = 0.0

    def samples(self) -> Samples | None:
        """None while the database is away."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._samples = self._read()
                self._until = time.monotonic() + KEPT_SECONDS
            return self._samples

    def forget(self) -> None:
        self._until = 0.0

    def _read(self) -> Samples | None:
        try:
            with connect_beside(**SOON, application_name="metrics") as connection:
                connection.execute("SELECT set_config('statement_timeout', %s, false)", [str(STATEMENT_MS)])
                return [(gauge, self._ask(connection, gauge)) for gauge in gauges]
        except psycopg.Error as error:
            log.warning("metrics.database_away", error=type(error).__name__)
            return None

    @staticmethod
    def _ask(connection: "psycopg.Connection[Any]", gauge: Gauge) -> list[tuple[tuple[str, ...], float]]:
        rows = connection.execute(gauge.statement, gauge.params()).fetchall()
        found = {tuple(map(str, labels)): float(value) for *labels, value in rows}
        return sorted({**dict.fromkeys(gauge.zeros, 0.0), **found}.items())


look = Look()
