"""The platform as a process of its own, for clients that come over the network."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60


@contextmanager
def running_platform(environment: Mapping[str, str], log: Path) -> Iterator[str]:
    """uvicorn on a free loopback port; gives its address and stops it by its own id."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "uvicorn", "platform_site.asgi:application", "--host", "127.0.0.1"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--log-level", "warning"],
            cwd=ROOT,
            env={**os.environ, **environment, "PORT": str(port)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(process, f"{url}/api/v1/health/live", log)
            yield url
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(url, timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError(f"The platform did not start:\n{log.read_text()[-4000:]}")


def readable(done: "subprocess.CompletedProcess[str]") -> str:
    """The end of what was printed, without the ends of very long lines: a request's body can be one."""
    lines = (f"{line[:400]} ..." if len(line) > 400 else line for line in done.stdout.splitlines())
    return "\n".join(lines)[-8000:] + done.stderr[-2000:]
