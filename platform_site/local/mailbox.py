"""A real SMTP server for development that keeps every message and sends none on.

    python -m platform_site.local.mailbox

listens on a free port of the loopback address and stores into the Maildir of VAR_DIR, where the
page /dev/mail reads it.
"""

import asyncio
import itertools
import logging
import os
import signal
import socket
import time
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from platform_site.local.layout import Layout
from platform_site.local.mailstore import ENVELOPE_TO

HOST = "127.0.0.1"
_LARGEST_MAIL = 50 * 1024 * 1024
_LONGEST_LINE = 2**20

logger = logging.getLogger(__name__)


class _Smtp(SMTP):
    # Mail with over-long lines is against the standard and common all the same.
    line_length_limit = _LONGEST_LINE


class Mailbox:
    """Stores what arrives.  The method names are those that aiosmtpd looks for."""

    def __init__(self, mail_dir: Path) -> None:
        self._mail_dir = mail_dir
        self._numbers = itertools.count(1)
        for folder in ("tmp", "new", "cur"):
            mail_dir.joinpath(folder).mkdir(parents=True, exist_ok=True)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.original_content or b""
        name = await asyncio.to_thread(self._deliver, _with_envelope(content, envelope))
        logger.info("kept %s for %s", name, ", ".join(envelope.rcpt_tos))
        return f"250 OK kept as {name}"

    async def handle_exception(self, error: Exception) -> str:
        """Odd mail must not end the server; the sender learns of it and may try again."""
        logger.error("could not take a message", exc_info=error)
        return "451 could not take this message"

    def _deliver(self, content: bytes) -> str:
        """Write aside and rename, as Maildir wants it: a reader never sees half a message."""
        name = f"{time.time_ns()}.{os.getpid()}_{next(self._numbers)}"
        unfinished = self._mail_dir / "tmp" / name
        unfinished.write_bytes(content)
        unfinished.rename(self._mail_dir / "new" / name)
        return name


def _with_envelope(content: bytes, envelope: Envelope) -> bytes:
    """Blind copies are named in the envelope only, so it is kept as a header."""
    recipients = ", ".join(envelope.rcpt_tos).replace("\r", "").replace("\n", "")
    header = f"{ENVELOPE_TO}: {recipients}\r\n".encode("utf-8", errors="replace")
    return header + content


def _let_everybody_in(
    server: SMTP, session: Session, envelope: Envelope, mechanism: str, auth_data: LoginPassword
) -> AuthResult:
    """Settings with a user name can be tried out here; any name will do."""
    return AuthResult(success=True)


def choose_port(layout: Layout) -> int:
    """The port of the last run when it is free, else any free one; noted where others look.

    After a restart the old port is worth having: running processes were told of it.
    """
    port = next(filter(_is_free, filter(None, [layout.smtp_port])), None) or _any_free_port()
    layout.run_dir.mkdir(parents=True, exist_ok=True)
    unfinished = layout.smtp_port_file.with_suffix(".new")
    unfinished.write_text(str(port))
    unfinished.replace(layout.smtp_port_file)
    return port


def _is_free(port: int) -> bool:
    try:
        _listen(port).close()
    except (OSError, OverflowError):
        return False
    return True


def _any_free_port() -> int:
    with _listen(0) as listener:
        return int(listener.getsockname()[1])


def _listen(port: int) -> socket.socket:
    return socket.create_server((HOST, port))


async def serve(mail_dir: Path, port: int) -> None:
    mailbox = Mailbox(mail_dir)
    loop = asyncio.get_running_loop()

    def connection() -> SMTP:
        return _Smtp(
            mailbox,
            data_size_limit=_LARGEST_MAIL,
            enable_SMTPUTF8=True,
            hostname="localhost",
            ident="mailbox",
            loop=loop,
            authenticator=_let_everybody_in,
            auth_require_tls=False,
        )

    server = await loop.create_server(connection, HOST, port)
    finished = asyncio.Event()
    for what in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(what, finished.set)
    logger.info("keeping mail from %s:%s in %s", HOST, port, mail_dir)
    await finished.wait()
    server.close()


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd's own, a line per command
    layout = Layout.from_env()
    asyncio.run(serve(layout.mail_dir, choose_port(layout)))


if __name__ == "__main__":
    main()
