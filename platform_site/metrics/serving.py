"""Turning the instruments on, and answering ``/metrics``.

The processes of one kind (the workers of granian, those of Celery) share a directory, into which each
of them counts in files of its own: whichever is asked adds all of them up. It is
``PROMETHEUS_MULTIPROC_DIR``, or ``VAR_DIR/run/metrics/<kind>``.
"""

import fcntl
import hmac
import os
import platform
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase

import platform_site
from platform_site.metrics import instruments
from platform_site.metrics.gauges import UP, gauges, look

log = structlog.get_logger(__name__)

PATH = "/metrics"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_directory: Path | None = None


def is_on() -> bool:
    return _directory is not None


def start(kind: str) -> bool:
    """Count from now on, where ``METRICS_TOKEN`` is set. Gives whether it is.

    To be called by what serves, before it forks and before anything of the library is imported: it looks at the
    environment once. A command counts nothing, so that it leaves no files behind.
    """
    global _directory
    if not settings.METRICS_TOKEN:
        return False
    if _directory is None:
        given = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        directory = Path(given) if given else settings.LAYOUT.run_dir / "metrics" / kind
        directory.mkdir(parents=True, exist_ok=True)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)
        with (directory / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _clear(directory)
            _connect()
            # Those who start beside us see by it that somebody is there.
            (directory / f"started_{os.getpid()}").touch()
        _directory = directory
    return True


def _connect() -> None:
    from django.db.backends.signals import connection_created
    from prometheus_client import CollectorRegistry

    from platform_site.metrics.measures import time_queries

    def install(connection: Any, **_: Any) -> None:
        if time_queries not in connection.execute_wrappers:
            connection.execute_wrappers.append(time_queries)

    instruments.connect_all(CollectorRegistry())
    connection_created.connect(install, weak=False, dispatch_uid="metrics of statements")


def _clear(directory: Path) -> None:
    """Whoever comes first removes what the processes before the last restart left.

    A worker that comes in the place of another does not: what the other one counted has happened.
    """
    files = [path for path in directory.iterdir() if path.name != "lock"]
    if any(_alive(path) for path in files):
        return
    for path in files:
        path.unlink(missing_ok=True)


def _alive(path: Path) -> bool:
    number = path.stem.rpartition("_")[2]
    return number.isdigit() and Path(f"/proc/{number}").exists() and int(number) != os.getpid()


# -- answering -----------------------------------------------------------------------------------


def exposition(*, state: bool = False, more: str = "") -> bytes:
    """Everything in the text format. ``state`` looks at the database as well; ``more`` is text of the same format."""
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(_directory))  # type: ignore[no-untyped-call]
    registry.register(_Build())
    if state:
        registry.register(_State())
    return bytes(generate_latest(registry)) + more.encode()


class _Build:
    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily

        release = settings.RELEASE or platform_site.__version__
        build = GaugeMetricFamily("core_build_info", "Which code this is", labels=["release", "python"])
        build.add_metric([release, platform.python_version()], 1)
        yield build


class _State:
    def collect(self) -> Iterator[Any]:
        from prometheus_client.core import GaugeMetricFamily

        samples = look.samples()
        yield GaugeMetricFamily(UP, "Whether the database answers", value=samples is not None)
        for gauge, values in samples or ():
            family = GaugeMetricFamily(gauge.key, gauge.help_text, labels=gauge.labels)
            for labels, value in values:
                family.add_metric(labels, value)
            yield family


def exported_names() -> set[str]:
    """Every name that can be asked for, as dashboards and alarms write it."""
    names = {UP, "core_build_info", *(gauge.key for gauge in gauges)}
    for instrument in instruments.instruments:
        if isinstance(instrument, instruments.Histogram):
            names |= {f"{instrument.key}_{part}" for part in ("bucket", "sum", "count")}
        else:
            names.add(instrument.key)
    return names


def is_allowed(authorization: str) -> bool:
    """Whether this header has the token. Compared in a time that says nothing about it."""
    return hmac.compare_digest(authorization.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())


Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], HttpResponseBase]


def with_metrics(application: Wsgi, kind: str, more: Callable[[], str] = str) -> Wsgi:
    """``application``, and ``/metrics`` where it is on.

    Before everything else: a scraper names a machine, which is no allowed host, speaks plain HTTP, and is no request
    that counts. Without the token there is no such page.
    """
    if not start(kind):
        return application

    def serve(environ: Environ, start_response: StartResponse) -> HttpResponseBase:
        if environ["PATH_INFO"] != PATH or not is_allowed(environ.get("HTTP_AUTHORIZATION", "")):
            return application(environ, start_response)
        body = exposition(state=True, more=more())
        headers = {"Content-Length": str(len(body)), "Cache-Control": "no-store"}
        response = HttpResponse(body, content_type=CONTENT_TYPE, headers=headers)
        start_response("200 OK", list(response.items()))
        return response

    return serve


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        found = self.path == PATH and is_allowed(self.headers.get("Authorization", ""))
        body = exposition() if found else b"not found\n"
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """A scrape every few seconds is nothing to write down."""


def serve_beside() -> ThreadingHTTPServer | None:
    """``/metrics`` on ``METRICS_PORT``, in a thread: for processes that answer no requests. None where it is off."""
    if not is_on() or not settings.METRICS_PORT:
        return None
    try:
        server = ThreadingHTTPServer((settings.METRICS_HOST, settings.METRICS_PORT), _Handler)
    except OSError as error:
        # Work is more important than being watched at it.
        log.error("metrics.no_port", port=settings.METRICS_PORT, error=error.strerror)
        return None
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
