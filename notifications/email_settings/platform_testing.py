"""Testing the platform's own mail server, for operators: unlike a company's, its own words may be read."""

import smtplib
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from notifications.email_settings.smtp_testing import smtp_code_of

_STAGES: Final[dict[type[Exception], tuple[str, str]]] = {
    smtplib.SMTPAuthenticationError: ("auth", "auth_failed"),
    smtplib.SMTPSenderRefused: ("mail_from", "sender_rejected"),
    smtplib.SMTPRecipientsRefused: ("rcpt", "recipient_rejected"),
    smtplib.SMTPDataError: ("data", "data_rejected"),
    smtplib.SMTPServerDisconnected: ("connect", "server_hung_up"),
    ssl.SSLCertVerificationError: ("tls", "certificate_invalid"),
    ssl.SSLError: ("tls", "tls_failed"),
    smtplib.SMTPNotSupportedError: ("tls", "tls_failed"),
    # Whatever else is an OSError, too.
    smtplib.SMTPException: ("data", "send_failed"),
    TimeoutError: ("connect", "connect_timeout"),
    OSError: ("connect", "connect_failed"),
}


@dataclass(frozen=True, slots=True)
class PlatformTestResult:
    """As ``TestResult``, and ``said`` is the last the server, or whoever stands before it, said."""

    ok: bool
    stage: str
    code: str
    smtp_code: int | None
    said: str
    latency_ms: int


def platform_test(*, to: str) -> PlatformTestResult:
    """Send a mail through what the platform sends its own mail by; in no transaction."""
    began, mailer = time.monotonic(), get_connection()
    message = EmailMessage(
        subject=f"Test mail of {settings.PRODUCT_NAME}",
        body="This mail went through the platform's mail server. It works.\n",
        to=[to],
        headers={"Auto-Submitted": "auto-generated"},
        connection=mailer,
    )
    error: Exception | None = None
    try:
        message.send()
    except Exception as failure:
        # Providers raise errors of their own; whatever it is, it is the answer.
        error = failure
        # What failed half-way through opening is left open by Django.
        with suppress(smtplib.SMTPException, OSError):
            mailer.close()
    latency_ms = round((time.monotonic() - began) * 1000)
    return _failed(error, latency_ms) if error else PlatformTestResult(True, "data", "", None, "", latency_ms)


def _failed(error: Exception, latency_ms: int) -> PlatformTestResult:
    known = next((told for kind, told in _STAGES.items() if isinstance(error, kind)), ("data", "send_failed"))
    if type(error) in (smtplib.SMTPNotSupportedError, smtplib.SMTPException) and "auth" in str(error).lower():
        # smtplib has no error of its own for a server that takes no password, or none in a way that it knows.
        known = ("auth", "auth_not_offered")
    return PlatformTestResult(False, *known, smtp_code_of(error), _said(error), latency_ms)


def _said(error: Exception) -> str:
    words: bytes | str = getattr(error, "smtp_error", "") or str(error)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        words = next((said for _, said in error.recipients.values()), b"")
    text = words.decode(errors="replace") if isinstance(words, bytes) else words
    return " ".join(text.split())[:300]
