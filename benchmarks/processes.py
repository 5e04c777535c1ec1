"""Web servers under measurement, and how much memory a process holds."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Web:
    """A server that answers on ``port``."""

    pid: int
    port: int

    def workers(self) -> list[int]:
        """The process ids of its workers."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]

    def cpu_seconds(self) -> float:
        """Processor time that its workers have used since they started."""
        return sum(_cpu_ticks(pid) for pid in self.workers()) / os.sysconf("SC_CLK_TCK")

    def own_cpu_seconds(self) -> float:
        """Processor time of the server itself, where it has no workers."""
        return _cpu_ticks(self.pid) / os.sysconf("SC_CLK_TCK")


def _cpu_ticks(pid: int) -> int:
    # The name in parentheses may hold blanks; after it utime and stime are the 12th and 13th field.
    after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(after_name[11]) + int(after_name[12])


@contextmanager
def granian(
    env: Mapping[str, str], *, app: str = "platform_site.wsgi:application", workers: int = 2, threads: int = 1
) -> Iterator[Web]:
    """The application in granian, as production runs it."""
    port = free_port()
    command = [
        sys.executable, "-m", "granian", app,
        "--interface", "wsgi", "--http", "1", "--no-ws",
        "--host", "127.0.0.1", "--port", str(port),
        "--workers", str(workers), "--blocking-threads", str(threads),
        "--log-level", "error",
        # A worker that is told to end while it still loads does not hear it.
        "--workers-kill-timeout", "2",
    ]  # fmt: skip
    with _serving(command, env, port) as web:
        yield web


@contextmanager
def uvicorn(env: Mapping[str, str]) -> Iterator[Web]:
    """The all-in-one application, as ``make run`` starts it."""
    port = free_port()
    command = [
        sys.executable, "-m", "uvicorn", "platform_site.asgi:application",
        "--host", "127.0.0.1", "--port", str(port),
        "--http", "h11", "--lifespan", "on", "--ws-max-size", "65536", "--no-server-header",
        "--log-level", "error",
    ]  # fmt: skip
    with _serving(command, env, port) as web:
        yield web


@contextmanager
def realtime(env: Mapping[str, str]) -> Iterator[Web]:
    """The product's process for sockets, as production starts it."""
    port = free_port()
    command = [sys.executable, "manage.py", "run_realtime", "--host", "127.0.0.1", "--port", str(port)]
    with _serving(command, env, port) as web:
        yield web


@contextmanager
def stock_channels(env: Mapping[str, str]) -> Iterator[Web]:
    """Stock consumers in the same server, with the same event loop and options."""
    port = free_port()
    command = [
        sys.executable, "-m", "uvicorn", "benchmarks.stock_channels.asgi:application",
        "--host", "127.0.0.1", "--port", str(port),
        "--loop", "uvloop", "--ws", "websockets-sansio", "--ws-max-size", "65536",
        "--ws-per-message-deflate", "false", "--no-server-header", "--lifespan", "off", "--log-level", "error",
    ]  # fmt: skip
    with _serving(command, env, port) as web:
        yield web


@contextmanager
def _serving(command: list[str], env: Mapping[str, str], port: int) -> Iterator[Web]:
    # Access lines are written, as in production, and go where nobody reads them.
    process = subprocess.Popen(command, env=dict(env), cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    try:
        _wait_until_it_answers(process, port)
        yield Web(process.pid, port)
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_answers(process: "subprocess.Popen[bytes]", port: int) -> None:
    give_up = time.monotonic() + START_SECONDS
    while not answers(port):
        if process.poll() is not None or time.monotonic() > give_up:
            raise RuntimeError(f"{process.args!r} did not start")
        time.sleep(0.05)


def answers(port: int, path: str = "/api/v1/health/live") -> bool:
    """Whether anything speaks HTTP there; what it says does not matter."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        client.request("GET", path)
        client.getresponse().read()
        return True
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def memory_kib(pid: int) -> tuple[int, int]:
    """(RSS, PSS) of a process: PSS counts a page that several share in parts."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    sizes = {line.split()[0].rstrip(":"): int(line.split()[1]) for line in lines[1:]}
    return sizes["Rss"], sizes["Pss"]


def inherited(**changes: str) -> dict[str, str]:
    """Our own environment with ``changes``."""
    return {**os.environ, **changes}
