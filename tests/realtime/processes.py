"""The processes of sockets that tests start, kill and start again: real ones, on ports of their own."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 60
UNEXPECTED = (b"Traceback", b"realtime.task_failed", b"realtime.unreadable_envelope", b"binding.refused")


class Process:
    """``manage.py run_realtime`` on one port, which it keeps over a restart."""

    def __init__(self, environment: Mapping[str, str], log: Path, *, port: int = 0) -> None:
        self.port = port or free_port()
        self.log = log
        self._environment = {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None
        self._read = 0

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/v1"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        command = [sys.executable, "manage.py", "run_realtime", "--port", str(self.port)]
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=output, stderr=subprocess.STDOUT
            )
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            try:
                if httpx.get(f"http://127.0.0.1:{self.port}/health", timeout=5).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError(f"The process did not start:\n{self.log.read_text()[-4000:]}")

    def kill(self) -> None:
        """As when the machine dies: nothing is said to anybody."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """As at a deployment. Gives the exit code."""
        return self._end(signal.SIGTERM)

    def metrics(self) -> dict[str, float]:
        text = httpx.get(f"http://127.0.0.1:{self.port}/metrics", timeout=5).text
        lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name.removeprefix("core_realtime_"): float(value) for name, _, value in lines}

    def memory(self) -> int:
        """Bytes that it holds just now."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def failures(self) -> str:
        """What it wrote since this was asked the last time, if anything happened that it had not expected."""
        with self.log.open("rb") as log:
            log.seek(self._read)
            said = log.read()
            self._read += len(said)
        # What is no text at all is logged by uvicorn itself.
        lines = [line for line in said.splitlines() if b"Invalid UTF-8 sequence" not in line]
        unexpected = any(word in line for word in UNEXPECTED for line in lines)
        return b"\n".join(lines).decode(errors="replace")[-8000:] if unexpected else ""

    def _end(self, by: signal.Signals) -> int:
        if self._process is None:
            return 0
        process, self._process = self._process, None
        process.send_signal(by)
        try:
            return process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"The process did not end:\n{self.log.read_text()[-4000:]}") from None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
