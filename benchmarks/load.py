"""A load generator in a process of its own: many connections, one request at a time on each.

    python -m benchmarks.load < job.json

The job names host, port, connections, seconds or count, and the requests, which are sent round
robin. Plain sockets and one loop, because an HTTP client in Python would be slower than what it
measures. It prints {"requests", "seconds", "failed", "p50_ms", "p99_ms"}.
"""

import json
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any


@dataclass(frozen=True, slots=True)
class Load:
    """What a run of the generator gave."""

    requests: int
    seconds: float
    failed: int
    p50_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds


def load(*, port: int, requests: Sequence[str], connections: int = 16, seconds: float = 60, count: int = 10**9) -> Load:
    """Put a server under load for ``seconds``, or until ``count`` answers came. A failed request is an error."""
    job = {"port": port, "requests": requests, "connections": connections, "seconds": seconds, "count": count}
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"], input=json.dumps(job), stdout=subprocess.PIPE, text=True, check=True
    )
    result = Load(**json.loads(answer.stdout))
    assert result.failed == 0, f"{result.failed} of {result.requests} requests failed"
    return result


def get(path: str, token: str = "") -> str:
    """A GET request as it goes over the wire."""
    signed = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\n{signed}\r\n"


def post(path: str, body: object, token: str) -> str:
    """A POST request with a JSON body as it goes over the wire."""
    text = json.dumps(body)
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: bench\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}"
    )


# -- the process -------------------------------------------------------------------------------


@dataclass(slots=True)
class _Client:
    socket: socket.socket
    received: bytearray = field(default_factory=bytearray)
    sent_at: float = 0.0


class _Run:
    def __init__(self, job: dict[str, Any]) -> None:
        self._requests = cycle([request.encode() for request in job["requests"]])
        self._count = job["count"]
        self._seconds = job["seconds"]
        self._selector = selectors.DefaultSelector()
        for _ in range(min(job["connections"], self._count)):
            connection = socket.create_connection(("127.0.0.1", job["port"]), timeout=10)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(connection, selectors.EVENT_READ, _Client(connection))
        self._times: list[float] = []
        self._failed = 0

    def run(self) -> dict[str, float]:
        start = time.perf_counter()
        for key in self._selector.get_map().values():
            self._send(key.data)
        sent, now = len(self._selector.get_map()), start
        while now - start < self._seconds and len(self._times) < self._count:
            for key, _ in self._selector.select(timeout=10):
                if self._receive(key.data) and sent < self._count:
                    self._send(key.data)
                    sent += 1
            now = time.perf_counter()
        times = sorted(self._times)
        return {
            "requests": len(times),
            "seconds": now - start,
            "failed": self._failed,
            "p50_ms": times[len(times) // 2] * 1000,
            "p99_ms": times[len(times) * 99 // 100] * 1000,
        }

    def _send(self, client: _Client) -> None:
        client.received.clear()
        client.sent_at = time.perf_counter()
        client.socket.sendall(next(self._requests))

    def _receive(self, client: _Client) -> bool:
        """Take what came; whether the answer is whole."""
        chunk = client.socket.recv(65536)
        if not chunk:
            raise ConnectionError("the server closed a connection that was to be kept")
        client.received += chunk
        end = client.received.find(b"\r\n\r\n")
        if end < 0:
            return False
        head = bytes(client.received[:end]).lower()
        if not _is_whole(head, client.received, end + 4):
            return False
        self._times.append(time.perf_counter() - client.sent_at)
        self._failed += not head.startswith(b"http/1.1 2")
        return True


def _is_whole(head: bytes, received: bytearray, body: int) -> bool:
    _, found, rest = head.partition(b"\r\ncontent-length:")
    if found:
        return len(received) >= body + int(rest.partition(b"\r\n")[0])
    if b"\r\ntransfer-encoding: chunked" in head:
        return received.endswith(b"\r\n0\r\n\r\n")
    raise ValueError("an answer of unknown length")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_Run(json.load(sys.stdin)).run()))
