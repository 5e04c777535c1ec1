"""Runs every check in a thread of its own and keeps the last result.

Requests only read. Threads start when somebody asks for the first time in a
process, so that a process that forks afterwards, or never serves, has none.
"""

import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog
from django.conf import settings

from platform_site.health.catalog import HealthCheck, Kind, health_checks
from platform_site.health.probes import DOWNSTREAM_SECONDS, Downstream, NotAsExpected
from platform_site.health.status import Status

log = structlog.get_logger(__name__)

# An answer that takes longer than this is an answer, but nobody enjoys it.
SLOW_SECONDS = 1.0
# How far behind its time a result may be before it says nothing any more.
GRACE_SECONDS = 1.0
# A probe that hangs is left behind after this long, and another thread asks anew:
# it may wait for a machine that will never answer, while its successor already does.
ABANDON_SECONDS = 30.0
# So many threads at most may be left behind at a time.
MOST_ABANDONED = 3


@dataclass(frozen=True, slots=True)
class Report:
    """What is known about one check now. ``error`` is the class of what went wrong, never its text."""

    check: HealthCheck
    status: Status
    latency_ms: float | None = None
    checked_at: datetime | None = None
    error: str = ""


class Watch:
    """One check, asked again and again by a thread of its own."""

    def __init__(self, check: HealthCheck) -> None:
        self.check = check
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._known = threading.Event()
        self._generation = 0
        self._abandoned: list[threading.Thread] = []
        self._thread: threading.Thread | None = None
        # Monotonic times: when the probe that runs now began, and when the last result came.
        self._began: float | None = None
        self._came = 0.0
        self._report = Report(check, Status.DOWN, error="NotYetKnown")

    def start(self) -> None:
        self._generation += 1
        name = f"health-{self.check.key}"
        self._thread = threading.Thread(target=self._run, args=[self._generation], name=name, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(self.check.timeout)
        close = getattr(self.check.probe, "close", None)
        if close is not None:
            close()

    def wait_until_known(self, deadline: float) -> None:
        """Wait for the very first result, until ``deadline`` (monotonic) at the latest."""
        self._known.wait(max(0.0, deadline - time.monotonic()))

    def report(self) -> Report:
        """What is known now: a probe that hangs, or a result that is too old, counts as down."""
        now = time.monotonic()
        with self._lock:
            running = 0.0 if self._began is None else now - self._began
            if running > ABANDON_SECONDS:
                self._replace_thread()
            if running > self.check.timeout:
                return Report(self.check, Status.DOWN, None, self._report.checked_at, "Timeout")
            limit = self.check.interval + self.check.timeout + GRACE_SECONDS
            if self._known.is_set() and now - self._came > limit:
                return Report(self.check, Status.DOWN, None, self._report.checked_at, "Stale")
            return self._report

    def _replace_thread(self) -> None:
        self._abandoned = [thread for thread in self._abandoned if thread.is_alive()]
        if len(self._abandoned) < MOST_ABANDONED and self._thread is not None:
            log.warning("health.probe_abandoned", check=self.check.key)
            self._abandoned.append(self._thread)
            self._began = time.monotonic()
            self.start()

    def _run(self, generation: int) -> None:
        while not self._stopped.is_set() and generation == self._generation:
            began = time.monotonic()
            with self._lock:
                self._began = began
            report = self._ask(began)
            with self._lock:
                if generation != self._generation:
                    return
                self._log_change(report)
                self._report, self._came, self._began = report, time.monotonic(), None
            self._known.set()
            self._stopped.wait(max(0.0, began + self.check.interval - time.monotonic()))

    def _ask(self, began: float) -> Report:
        error = ""
        try:
            status = self.check.probe()
        except Exception as failure:
            # Whatever a probe raises means the same; its class is kept and shown.
            status, error = Status.DOWN, _name(failure)
        took = time.monotonic() - began
        if took > self.check.timeout:
            status, error = Status.DOWN, error or "Timeout"
        elif took > SLOW_SECONDS and status is Status.UP:
            status = Status.DEGRADED
        return Report(self.check, status, round(took * 1000, 1), datetime.now(UTC), error)

    def _log_change(self, report: Report) -> None:
        if not self._known.is_set() or report.status is self._report.status:
            return
        log.warning("health.changed", check=self.check.key, status=str(report.status), error=report.error)


def _name(failure: Exception) -> str:
    return str(failure) if isinstance(failure, NotAsExpected) else type(failure).__name__


class Monitor:
    """The watches of this process."""

    def __init__(self, checks: Sequence[HealthCheck]) -> None:
        self.watches = [Watch(check) for check in checks]

    def start(self) -> None:
        for watch in self.watches:
            watch.start()

    def stop(self) -> None:
        for watch in self.watches:
            watch.stop()

    def reports(self, *kinds: Kind, key: str = "") -> list[Report]:
        """What is known about the checks of these kinds, or about the one named ``key``."""
        chosen = [watch for watch in self.watches if watch.check.kind in kinds or watch.check.key == key]
        # Waits in the first moments of a process only, and never longer than the probes themselves may take.
        deadline = time.monotonic() + max((watch.check.timeout for watch in chosen), default=0.0)
        for watch in chosen:
            watch.wait_until_known(deadline)
        return [watch.report() for watch in chosen]


def downstream_checks() -> list[HealthCheck]:
    """The product's own services, as ``DOWNSTREAM_SERVICES`` names them."""
    # The probe ends itself at its limit; the rest is for starting and ending it.
    timeout = DOWNSTREAM_SECONDS + 0.5
    return [
        HealthCheck(name, False, Downstream(url), interval=10.0, timeout=timeout, kind=Kind.SERVICE)
        for name, url in settings.DOWNSTREAM_SERVICES.items()
    ]


_lock = threading.Lock()
_monitor: Monitor | None = None


def monitor() -> Monitor:
    """The monitor of this process, started by whoever asks first."""
    global _monitor
    if _monitor is None:
        with _lock:
            if _monitor is None:
                started = Monitor([*health_checks, *downstream_checks()])
                started.start()
                _monitor = started
    return _monitor


def stop() -> None:
    """End the threads and close their connections; the next question starts anew. For tests."""
    global _monitor
    with _lock:
        stopped, _monitor = _monitor, None
    if stopped is not None:
        stopped.stop()


def _forget_after_fork() -> None:
    """Threads do not survive a fork, and a lock may have been held by one of them."""
    global _lock, _monitor
    _lock, _monitor = threading.Lock(), None


os.register_at_fork(after_in_child=_forget_after_fork)
