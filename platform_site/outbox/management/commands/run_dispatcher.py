"""``manage.py run_dispatcher``: reactions without a broker."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

import structlog
from django.core.management.base import BaseCommand
from django.db import OperationalError, close_old_connections

from platform_site import pulse, tracing
from platform_site.metrics import serving
from platform_site.outbox import dispatcher

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Runs reactions to journal entries until it is stopped. For installations without a broker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--interval", type=float, default=1.0, help="seconds between looks (default 1)")
        parser.add_argument("--once", action="store_true", help="run what is due and stop")

    def handle(self, *args: Any, interval: float, once: bool, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        if once:
            self.stdout.write(f"{dispatcher.drain()} reactions run.")
            return
        serving.start("dispatcher")
        tracing.start("dispatcher")
        serving.serve_beside()
        while not stop.is_set():
            close_old_connections()
            pulse.leave(pulse.Part.WORKER)
            try:
                dispatcher.drain()
            except OperationalError as error:
                # The database is away; rows are safe there, and the next look finds them.
                log.warning("dispatcher.database_away", error=type(error).__name__)
            stop.wait(interval)
