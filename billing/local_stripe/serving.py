"""HTTP on the loopback address, with the standard library's WSGI server and a thread per request."""

import logging
import socket
import socketserver
import threading
from collections.abc import Callable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

HOST = "127.0.0.1"

logger = logging.getLogger(__name__)


class _Handler(WSGIRequestHandler):
    server_version = "LocalStripe"

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        environ["local_stripe.lose"] = lambda: self.connection.shutdown(socket.SHUT_RDWR)
        return environ

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug(format, *args)


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        """Without asking for the name of the host, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]
        self.setup_environ()

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that goes away in the middle is its own affair.
        logger.debug("a connection ended early", exc_info=True)


class Serving:
    """A server that already listens; `start` lets it answer in a thread of its own."""

    def __init__(self, application: Callable[..., Any], port: int) -> None:
        self._server = _Server((HOST, port), _Handler)
        self._server.set_app(application)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="http", daemon=True)

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._server.server_port}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join(5)
        self._server.server_close()
