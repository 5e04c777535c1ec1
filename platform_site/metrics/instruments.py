"""Counters and histograms: declared anywhere, free while nobody watches.

    MAILS = Counter("core_mails_total", "Mails that were handed to a mail server", ("mailer", "outcome"))
    MAILS.add("platform", "sent")

A label has few values and never a tenant, a person, an address or a path: each set of labels is a
series that is kept for ever. Whoever forgets that ends in the series ``other`` after some thousands.
"""

from typing import Any, Final

from platform_site.catalog import Catalog

# Seconds. Most requests take some milliseconds; what takes ten seconds was cut off.
BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
MOST_SERIES: Final = 2000
OTHER: Final = "other"


class Instrument:
    """``key`` is the name that Prometheus sees; labels are given in the order in which they are declared."""

    def __init__(self, key: str, help_text: str, labels: tuple[str, ...] = ()) -> None:
        self.key = key
        self.help_text = help_text
        self.labels = labels
        self._real: Any = None
        # Asking the library for a series costs as much as counting in it.
        self._series: dict[tuple[str, ...], Any] = {}
        instruments.add(self)
        if _connected:
            self.connect(_connected[0])

    @property
    def is_on(self) -> bool:
        """Whether it is worth preparing what would be counted, or looking at the clock."""
        return self._real is not None

    def connect(self, registry: Any) -> None:
        """Begin to count, in this registry of the library."""
        self._series = {}
        self._real = self._make(registry)

    def disconnect(self) -> None:
        self._real = None
        self._series = {}

    def _make(self, registry: Any) -> Any:
        raise NotImplementedError

    def _of(self, labels: tuple[str, ...]) -> Any:
        series = self._series.get(labels)
        if series is None:
            if len(self._series) >= MOST_SERIES:
                labels = (OTHER,) * len(labels)
            series = self._real.labels(*labels) if labels else self._real
            self._series[labels] = series
        return series


instruments: Catalog[Instrument] = Catalog("metrics")
# The registry in which this process counts; nothing while it does not.
_connected: list[Any] = []


class Counter(Instrument):
    """A number that only grows. Its key ends in ``_total``."""

    def add(self, *labels: str, by: float = 1) -> None:
        if self._real is not None:
            self._of(labels).inc(by)

    def _make(self, registry: Any) -> Any:
        import prometheus_client

        return prometheus_client.Counter(
            self.key.removesuffix("_total"), self.help_text, self.labels, registry=registry
        )


class Histogram(Instrument):
    """How long something takes. Its key ends in ``_seconds``."""

    def observe(self, seconds: float, *labels: str) -> None:
        if self._real is not None:
            self._of(labels).observe(seconds)

    def _make(self, registry: Any) -> Any:
        import prometheus_client

        return prometheus_client.Histogram(self.key, self.help_text, self.labels, registry=registry, buckets=BOUNDS)


def connect_all(registry: Any) -> None:
    """Let everything that is declared, or will be, count in ``registry``."""
    _connected[:] = [registry]
    for instrument in instruments:
        instrument.connect(registry)


def disconnect_all() -> None:
    """Stop counting. For tests."""
    _connected.clear()
    for instrument in instruments:
        instrument.disconnect()
