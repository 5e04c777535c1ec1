"""Connections to mail servers that several mails share.

Opening one costs more than sending a mail on it. Inside ``mail_connections``
each server has one, which is looked at before it is used again, because servers
hang up on who is silent; at the end all are closed. Outside each mail has its own.

A server that could not be reached is not tried again before the end of the block:
the rest of a batch fails at once, instead of waiting for it once for each mail.
"""

import select
import smtplib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

from platform_site.metrics.measures import MAILS


@dataclass
class _Shared:
    """``kept``: open connections. ``unreachable``: why a server could not be reached."""

    kept: dict[str, BaseEmailBackend] = field(default_factory=dict)
    unreachable: dict[str, Exception] = field(default_factory=dict)


_open: ContextVar[_Shared | None] = ContextVar("mail connections", default=None)


@contextmanager
def mail_connections() -> Iterator[None]:
    """Keep connections open until the end of the block."""
    shared = _Shared()
    token = _open.set(shared)
    try:
        yield
    finally:
        _open.reset(token)
        for backend in shared.kept.values():
            _close(backend)


def unreachable(key: str) -> Exception | None:
    """What reaching this server raised in this block, for who would write a mail for it."""
    shared = _open.get()
    return None if shared is None else shared.unreachable.get(key)


def send_through(key: str, make: Callable[[], BaseEmailBackend], message: EmailMessage) -> None:
    """Send it through the server that ``key`` names, on a connection that ``make`` makes if there is none.

    Raises what the server raises. Its connection is not used again then, unless
    it only refused the address.
    """
    shared = _open.get()
    if shared is None:
        with mail_connections():
            return send_through(key, make, message)
    mailer = "platform" if key == "platform" else "tenant"
    try:
        _send(shared, key, make, message)
    except Exception:
        MAILS.add(mailer, "failed")
        raise
    MAILS.add(mailer, "sent")


def _send(shared: _Shared, key: str, make: Callable[[], BaseEmailBackend], message: EmailMessage) -> None:
    if key in shared.unreachable:
        raise shared.unreachable[key]
    kept = shared.kept
    try:
        backend = _connected(kept.pop(key, None), make)
    except Exception as error:
        shared.unreachable[key] = error
        raise
    try:
        backend.send_messages([message])
    except smtplib.SMTPRecipientsRefused:
        kept[key] = backend
        raise
    except Exception:
        _close(backend)
        raise
    kept[key] = backend


def _connected(last: BaseEmailBackend | None, make: Callable[[], BaseEmailBackend]) -> BaseEmailBackend:
    if last is not None:
        if _alive(last):
            return last
        _close(last)
    backend = make()
    try:
        backend.open()
    except Exception:
        # A server that can be reached and lets us not in has answered on an open connection.
        _close(backend)
        raise
    return backend


def _alive(backend: Any) -> bool:
    """Whether an SMTP server still listens; other backends keep no connection that could be lost.

    Servers speak when they are asked. One that has something to say now, or has
    hung up, says goodbye. It is not asked: how long it takes to answer is its choice.
    """
    connection = getattr(backend, "connection", None)
    if not isinstance(connection, smtplib.SMTP):
        return True
    if connection.sock is None:
        return False
    news = select.poll()
    news.register(connection.sock, select.POLLIN)
    return not news.poll(0)


def _close(backend: BaseEmailBackend) -> None:
    # The mails are sent; a server that is rude when we leave changes nothing about that.
    with suppress(smtplib.SMTPException, OSError):
        backend.close()
