"""A real SMTP server for tests: it speaks TLS, wants a password, refuses, stalls, and goes away when told to.

    with smtp_server() as server:                                # plain, no password
    with smtp_server(tls="starttls", login=("mailer", "secret")) as server:
    with smtp_server(tls="implicit") as server:

It listens on a free port of 127.0.0.1, in a thread of this process, and keeps what it has accepted in
``server.mails``. As a program (``python -m tests.smtp_server``) it says its port, accepts all and counts: on each
line from its input it prints how many mails and connections there were since the last.

``server.certificate`` is its own signature; a client that looks at signatures trusts it while the environment says
SSL_CERT_FILE=<that path>, as in the fixture's ``monkeypatch.setenv("SSL_CERT_FILE", str(server.certificate))``.
"""

import asyncio
import logging
import sys
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from typing import Any, Literal, TypeVar

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.certificates import make_certificate

HOST = "127.0.0.1"
# aiosmtpd says a line about every command.
logging.getLogger("mail.log").setLevel(logging.ERROR)
Tls = Literal["", "starttls", "implicit"]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Mail:
    """One that was accepted: its envelope, itself, and the connection that brought it, counted from 1."""

    sender: str
    recipients: list[str]
    raw: bytes
    connection: int
    encrypted: bool
    # Who had signed in; "" for nobody.
    login: str

    @property
    def message(self) -> EmailMessage:
        parsed: EmailMessage = message_from_bytes(self.raw, policy=policy.default)
        return parsed

    @property
    def id(self) -> str:
        return str(self.message["Message-ID"])


class SmtpServer:
    """Its switches count from the next command on."""

    def __init__(self, *, tls: Tls = "", login: tuple[str, str] | None = None, directory: Path) -> None:
        self.port = 0
        self.mails: list[Mail] = []
        # How many connections there ever were; closing one does not lower it.
        self.connections = 0
        # What RCPT is answered with, by address: {"bob@acme.test": "550 5.1.1 No such user"}.
        self.refused: dict[str, str] = {}
        # What every DATA is answered with instead of a yes; "" for a yes.
        self.refusing_all = ""
        # How long it thinks before it says yes to a mail; the mail is in ``mails`` by then.
        self.delay_seconds = 0.0
        # Takes what is said and never answers to a mail, nor keeps it.
        self.hanging = False
        # Called with each mail that is kept, in the server's thread, before its yes goes out. With a delay it may
        # also stop the server before that.
        self.on_mail: Callable[[Mail], None] = lambda mail: None
        self.tls = tls
        self.login = login
        self.certificate, key = make_certificate(directory, HOST)
        self._context = SSLContext(PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate, key)
        self._open: set[asyncio.Transport] = set()
        self._listener: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="smtp server", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """What EMAIL_URL would be for it."""
        scheme = {"": "smtp", "starttls": "smtp+tls", "implicit": "smtps"}[self.tls]
        who = f"{self.login[0]}:{self.login[1]}@" if self.login else ""
        return f"{scheme}://{who}{HOST}:{self.port}"

    def has_open(self, connections: int) -> bool:
        """Whether so many are open, now or as soon as it has noticed who left."""
        return self._call(self._has_open(connections))

    def to(self, address: str) -> list[Mail]:
        """What it has accepted for this address."""
        return [mail for mail in self.mails if address in mail.recipients]

    def start(self) -> None:
        """Listen; after a stop on the same port."""
        self._call(self._start())

    def stop(self) -> None:
        """Do not listen any more, and hang up on everybody in the middle of whatever they say."""
        if threading.current_thread() is self._thread:
            self._stopping = self._loop.create_task(self._stop())
        else:
            self._call(self._stop())

    def hang_up(self, *, saying: str = "") -> None:
        """End the connections that are open, perhaps with a last word, and go on listening."""
        self._call(self._hang_up(saying))

    def close(self) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _start(self) -> None:
        ssl = self._context if self.tls == "implicit" else None
        self._listener = await self._loop.create_server(self._connection, HOST, self.port, ssl=ssl)
        self.port = self._listener.sockets[0].getsockname()[1]

    async def _has_open(self, connections: int) -> bool:
        give_up = self._loop.time() + 2
        while len(self._open) != connections and self._loop.time() < give_up:
            await asyncio.sleep(0.005)
        return len(self._open) == connections

    async def _stop(self) -> None:
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        await self._hang_up()

    async def _hang_up(self, saying: str = "") -> None:
        for transport in self._open.copy():
            if saying:
                transport.write(f"{saying}\r\n".encode())
                transport.close()
            else:
                transport.abort()
        while self._open:
            await asyncio.sleep(0.001)

    def _connection(self) -> "_Connection":
        return _Connection(
            _Handler(self),
            hostname="localhost",
            enable_SMTPUTF8=True,
            loop=self._loop,
            tls_context=self._context if self.tls == "starttls" else None,
            require_starttls=self.tls == "starttls",
            authenticator=self._authenticated,
            # aiosmtpd knows only STARTTLS; one that was encrypted from the beginning is plain to it.
            auth_require_tls=self.tls == "starttls",
            # Offered only where a password is wanted.
            auth_exclude_mechanism=[] if self.login else ["LOGIN", "PLAIN"],
        )

    def _authenticated(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: LoginPassword
    ) -> AuthResult:
        right = self.login is not None and (given.login.decode(), given.password.decode()) == self.login
        return AuthResult(success=right, handled=False, auth_data=given if right else None)


class _Connection(SMTP):
    """One client's."""

    number = 0
    encrypted = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        owner: SmtpServer = self.event_handler.owner
        if not self.number:
            owner.connections += 1
            self.number = owner.connections
        # After STARTTLS it is made a second time.
        self.encrypted = transport.get_extra_info("ssl_object") is not None
        owner._open.add(transport)
        self._mine = [*getattr(self, "_mine", []), transport]
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self.event_handler.owner._open.difference_update(self._mine)
        super().connection_lost(error)


class _Handler:
    """The method names are those that aiosmtpd looks for."""

    def __init__(self, owner: SmtpServer) -> None:
        self.owner = owner

    async def handle_MAIL(
        self, server: _Connection, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.owner.login and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: _Connection, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.owner.refused:
            return self.owner.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: _Connection, session: Session, envelope: Envelope) -> str:
        if self.owner.refusing_all:
            return self.owner.refusing_all
        while self.owner.hanging:
            await asyncio.sleep(0.01)
        given: LoginPassword | None = session.auth_data
        login = given.login.decode() if given else ""
        content, sender = envelope.original_content or b"", envelope.mail_from or ""
        mail = Mail(sender, envelope.rcpt_tos, content, server.number, server.encrypted, login)
        self.owner.mails.append(mail)
        self.owner.on_mail(mail)
        if self.owner.delay_seconds:
            await asyncio.sleep(self.owner.delay_seconds)
        return "250 OK"


@contextmanager
def smtp_server(*, tls: Tls = "", login: tuple[str, str] | None = None) -> Iterator[SmtpServer]:
    """A server that listens until the end."""
    with tempfile.TemporaryDirectory() as directory:
        server = SmtpServer(tls=tls, login=login, directory=Path(directory))
        try:
            server.start()
            yield server
        finally:
            server.close()


def _say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def main() -> None:
    with smtp_server() as server:
        _say(server.port)
        connections = 0
        for _ in sys.stdin:
            _say(len(server.mails), server.connections - connections)
            connections = server.connections
            server.mails.clear()


if __name__ == "__main__":
    main()
