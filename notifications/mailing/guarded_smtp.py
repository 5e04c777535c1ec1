"""Mail through a server that a company named: guarded, with every value explicit, and within a time.

Django's backend takes what it is not given from the platform's own settings, its
password among it. So everything is given here, also when it is "".
"""

import math
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Final, Literal

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

from notifications.mailing import address_guard

Stage = Literal["resolve", "connect", "tls", "auth", "mail_from", "rcpt", "data"]
Security = Literal["starttls", "tls", "none"]
# How long one step may take, and all of opening or of one mail, however slowly the server talks.
STEP_SECONDS: Final = 10.0
WHOLE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, repr=False)
class Server:
    """A company's mail server as it is connected to. It has no ``repr``: it holds a password."""

    host: str
    port: int
    username: str
    password: str
    security: str


class Progress:
    """How far a conversation came, and when it has to end."""

    def __init__(self) -> None:
        self.stage: Stage = "resolve"
        self.timed_out = False
        self.tls: tuple[str, str] | None = None
        self._line: socket.socket | None = None
        self._until = math.inf
        self._lock = threading.Lock()

    def connected(self, connection: socket.socket) -> None:
        """A second handle of the connection: it stays good when TLS takes the first."""
        with self._lock:
            self._drop()
            self._line = connection.dup()
            if self.timed_out:
                self._cut()

    def encrypted(self, connection: Any) -> None:
        cipher = connection.cipher()
        self.tls = (connection.version() or "", cipher[0] if cipher else "")

    def closed(self) -> None:
        with self._lock:
            self._drop()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Cut the connection when the block takes longer: each byte in time is not the whole in time."""
        timer = threading.Timer(seconds, self._expire)
        timer.daemon = True
        outer, self._until = self._until, min(self._until, time.monotonic() + seconds)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self._until = outer

    def left(self, seconds: float) -> float:
        """As many, or as are left of the whole."""
        return max(0.001, min(seconds, self._until - time.monotonic()))

    def _expire(self) -> None:
        with self._lock:
            self.timed_out = True
            self._cut()

    def _cut(self) -> None:
        if self._line is not None:
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)

    def _drop(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


class _Guarded:
    """What both kinds of connection do alike. ``smtplib`` calls ``_get_socket`` with the host as it was named."""

    progress: Progress

    def guarded_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        self.progress.stage = "resolve"
        addresses = address_guard.resolve(host, port, self.progress.left(timeout))
        self.progress.stage = "connect"
        connection = address_guard.connect(addresses, self.progress.left(timeout))
        connection.settimeout(timeout)
        self.progress.connected(connection)
        return connection

    def getreply(self) -> tuple[int, bytes]:
        code, text = super().getreply()  # type: ignore[misc]
        if self.progress.timed_out:
            # The end of what was cut off looks like the end of a line, and "250" like a yes.
            self.close()  # type: ignore[attr-defined]
            raise smtplib.SMTPServerDisconnected("It took too long.")
        return code, text

    def login(self, *arguments: Any, **options: Any) -> Any:
        self.progress.stage = "auth"
        return super().login(*arguments, **options)  # type: ignore[misc]

    def mail(self, *arguments: Any, **options: Any) -> Any:
        self.progress.stage = "mail_from"
        return super().mail(*arguments, **options)  # type: ignore[misc]

    def rcpt(self, *arguments: Any, **options: Any) -> Any:
        self.progress.stage = "rcpt"
        return super().rcpt(*arguments, **options)  # type: ignore[misc]

    def data(self, *arguments: Any, **options: Any) -> Any:
        self.progress.stage = "data"
        return super().data(*arguments, **options)  # type: ignore[misc]


class _Smtp(_Guarded, smtplib.SMTP):
    def __init__(self, *arguments: Any, progress: Progress, **options: Any) -> None:
        self.progress = progress
        super().__init__(*arguments, **options)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self.guarded_socket(host, port, timeout)

    def starttls(self, *arguments: Any, **options: Any) -> Any:
        self.progress.stage = "tls"
        answer = super().starttls(*arguments, **options)
        self.progress.encrypted(self.sock)
        return answer


class _SmtpSsl(_Guarded, smtplib.SMTP_SSL):
    def __init__(self, *arguments: Any, progress: Progress, **options: Any) -> None:
        self.progress = progress
        super().__init__(*arguments, **options)

    def _get_socket(self, host: str, port: int, timeout: float) -> Any:
        plain = self.guarded_socket(host, port, timeout)
        self.progress.stage = "tls"
        try:
            # The certificate has to be for the host as it was named, not for the address.
            connection = self.context.wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise
        self.progress.encrypted(connection)
        return connection


class GuardedSmtpBackend(EmailBackend):
    """Django's backend through the address guard. Nothing of it comes from the platform's settings."""

    def __init__(self, server: Server, *, whole: float = WHOLE_SECONDS, step: float = STEP_SECONDS) -> None:
        if not server.host or not server.port:
            raise ValueError("Without a host and a port it would be the platform's own server.")
        super().__init__(
            host=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.security == "starttls",
            use_ssl=server.security == "tls",
            timeout=step,
            ssl_keyfile="",
            ssl_certfile="",
            fail_silently=False,
        )
        self.progress = Progress()
        self._whole = whole

    @property
    def connection_class(self) -> Callable[..., smtplib.SMTP]:  # type: ignore[override]
        return partial(_SmtpSsl if self.use_ssl else _Smtp, progress=self.progress)

    @cached_property
    def ssl_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if settings.SMTP_CA_FILE:
            context.load_verify_locations(cafile=settings.SMTP_CA_FILE)
        return context

    def open(self) -> bool | None:
        if self.connection:
            return False
        with self.progress.within(self._whole):
            return super().open()

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        with self.progress.within(self._whole):
            return super().send_messages(email_messages) or 0

    def close(self) -> None:
        try:
            with self.progress.within(STEP_SECONDS / 2), suppress(OSError, smtplib.SMTPException):
                super().close()
        finally:
            self.progress.closed()
