"""``manage.py run_realtime``: a process of sockets."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from platform_site.realtime.serving import serve


class Command(BaseCommand):
    help = "Serve the sockets of /ws/v1 until a signal ends it. /metrics and /health are for whoever watches it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8001)

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(
            serve(
                "platform_site.realtime_asgi",
                host=options["host"],
                port=options["port"],
                log_level="warning",
            )
        )
