"""Connections to mail servers that several mails share.

Opening one costs more than sending a mail on it. Inside ``mail_connections``
each server has one, which is looked at before it is used again, because servers
hang up on who is silent; at the end all are closed. Outside each mail has its own.
"""

import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

_open: ContextVar[dict[str, BaseEmailBackend] | None] = ContextVar("mail connections", default=None)


@contextmanager
def mail_connections() -> Iterator[None]:
    """Keep connections open until the end of the block."""
    kept: dict[str, BaseEmailBackend] = {}
    token = _open.set(kept)
    try:
        yield
    finally:
        _open.reset(token)
        for backend in kept.values():
            _close(backend)


def send_through(key: str, make: Callable[[], BaseEmailBackend], message: EmailMessage) -> None:
    """Send it through the server that ``key`` names, on a connection that ``make`` makes if there is none.

    Raises what the server raises; its connection is not used again then.
    """
    kept = _open.get()
    backend = (kept or {}).get(key)
    if backend is None or not _alive(backend):
        backend = make()
        if kept is not None:
            backend.open()
            kept[key] = backend
    try:
        backend.send_messages([message])
    except Exception:
        if kept is not None:
            kept.pop(key, None)
            _close(backend)
        raise


def _alive(backend: Any) -> bool:
    """Whether an SMTP server still answers; other backends keep no connection that could be lost."""
    connection = getattr(backend, "connection", None)
    if not isinstance(connection, smtplib.SMTP):
        return True
    try:
        return bool(connection.noop()[0] == 250)
    except (smtplib.SMTPException, OSError):
        _close(backend)
        return False


def _close(backend: BaseEmailBackend) -> None:
    # The mails are sent; a server that is rude when we leave changes nothing about that.
    with suppress(smtplib.SMTPException, OSError):
        backend.close()
