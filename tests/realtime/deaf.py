"""A client that signs in and then takes nothing more, as one does whose machine went to sleep."""

import socket
import struct
from typing import Any

import orjson

from tests.realtime.processes import Process

_UPGRADE = (
    "GET /ws/v1 HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
CLOSE = 8


class Deaf:
    """Blocking, on a socket of its own with a window as small as it can be."""

    def __init__(self, process: Process, token: str, **hello: Any) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.settimeout(20)
        self._socket.connect(("127.0.0.1", process.port))
        self._socket.sendall(_UPGRADE.encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += self._socket.recv(1)
        assert b" 101 " in answer, answer
        self._say({"t": "auth", "token": token, **hello})
        assert orjson.loads(self._frame()[1])["t"] == "ready"

    def end(self) -> int | None:
        """Take what is there after all. Gives the code with which it ends, or None when it was cut."""
        try:
            while True:
                kind, body = self._frame()
                if kind == CLOSE:
                    return int(struct.unpack("!H", body[:2])[0])
        except OSError:
            return None
        finally:
            self._socket.close()

    def _say(self, frame: dict[str, Any]) -> None:
        body = orjson.dumps(frame)
        # A mask of zeros changes nothing.
        self._socket.sendall(struct.pack("!BBH4x", 0x81, 0x80 | 126, len(body)) + body)

    def _frame(self) -> tuple[int, bytes]:
        first, length = self._take(2)
        if length == 126:
            (length,) = struct.unpack("!H", self._take(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", self._take(8))
        return first & 15, self._take(length)

    def _take(self, count: int) -> bytes:
        taken = bytearray()
        while len(taken) < count:
            some = self._socket.recv(count - len(taken))
            if not some:
                raise ConnectionResetError
            taken += some
        return bytes(taken)
