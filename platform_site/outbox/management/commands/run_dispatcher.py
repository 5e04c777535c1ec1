"""``manage.py run_dispatcher``: reactions without a broker."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

import structlog
from django.db import OperationalError, close_old_connections

from platform_site import pulse, tracing
from platform_site.management.operator import OperatorCommand
from platform_site.metrics import serving
from platform_site.outbox import dispatcher
from platform_site.outbox.selectors import outbox_status

log = structlog.get_logger(__name__)


class Command(OperatorCommand):
    help = "Runs reactions to journal entries until it is stopped. For installations without a broker."
    # A process that serves does not start with settings that are wrong.
    requires_system_checks = "__all__"
    writes = True

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("--interval", type=float, default=1.0, help="seconds between looks (default 1)")
        parser.add_argument("--once", action="store_true", help="run what is due and stop")

    def run(self, **options: Any) -> dict[str, Any]:
        if options["dry_run"]:
            return {"reactions": sum(queue.due for queue in outbox_status().queues), "dryRun": True}
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        count = dispatcher.drain() if options["once"] else self._serve(stop, options["interval"])
        return {"reactions": count, "dryRun": False}

    def _serve(self, stop: threading.Event, interval: float) -> int:
        """Until it is stopped. Gives how many were run."""
        serving.start("dispatcher")
        tracing.start("dispatcher")
        serving.serve_beside()
        count = 0
        while not stop.is_set():
            close_old_connections()
            pulse.leave(pulse.Part.WORKER)
            try:
                count += dispatcher.drain()
            except OperationalError as error:
                # The database is away; rows are safe there, and the next look finds them.
                log.warning("dispatcher.database_away", error=type(error).__name__)
            stop.wait(interval)
        return count

    def text(self, result: dict[str, Any]) -> str:
        return f"{result['reactions']} reactions {'are due' if result['dryRun'] else 'run'}."
