"""Testing the company's mail server: a real mail to who asks, and what came of it in our own words."""

import smtplib
import ssl
import time
from dataclasses import asdict, dataclass
from typing import Any, Final

from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone

from accounts.emails import email_key
from accounts.models import User
from notifications import catalog, errors
from notifications.email_settings.checking import refuse
from notifications.email_settings.smtp_server import server_of, server_row
from notifications.mailing.address_guard import AddressNotAllowed, NotResolved
from notifications.mailing.guarded_smtp import GuardedSmtpBackend, Progress
from notifications.models import SmtpServer
from platform_site import limits
from platform_site.binding import require_tenant
from platform_site.errors import PlatformError
from platform_site.journal.services import record
from platform_site.keys import SealBroken, UnknownKey
from platform_site.moments import wire_time

# For all of it, however slowly the server talks.
TEST_SECONDS: Final = 15.0
STAGES: Final = ("resolve", "connect", "tls", "auth", "mail_from", "rcpt", "data")
_REFUSED: Final = {
    "tls": "tls_failed",
    "auth": "auth_failed",
    "mail_from": "sender_rejected",
    "rcpt": "recipient_rejected",
    "data": "data_rejected",
}
CODES: Final = (
    "address_not_allowed",
    "host_unknown",
    "connect_failed",
    "connect_timeout",
    "certificate_invalid",
    "tls_failed",
    "auth_failed",
    "auth_not_offered",
    "password_unreadable",
    "sender_rejected",
    "recipient_rejected",
    "data_rejected",
    "server_hung_up",
    "timeout",
)


@dataclass(frozen=True, slots=True)
class TestResult:
    """``stage`` is the last one it came to, ``code`` "" when it worked. The server's own words are in none of it."""

    ok: bool
    stage: str
    code: str
    smtp_code: int | None
    latency_ms: int
    tls: dict[str, str] | None


def server_test(*, user_id: int, to: str | None = None) -> TestResult:
    """Send a mail to this person through what is configured; in no transaction.

    ``to`` can only be the person's own address, or it would be a way to send mail
    to anybody. A success verifies the server, unless it was changed meanwhile.
    Raises ``validation_failed``, ``smtp_not_configured`` or ``rate_limited``.
    """
    own = User.objects.values_list("email", flat=True).get(id=user_id)
    if to is not None and email_key(to) != email_key(own):
        refuse("to", errors.NOT_OWN_ADDRESS.key, errors.NOT_OWN_ADDRESS.message)
    return _test_within_limits(own)


def server_test_by_staff(*, to: str) -> TestResult:
    """The same to the staff member who asks; in no transaction. Raises ``smtp_not_configured`` or ``rate_limited``."""
    return _test_within_limits(to)


def _test_within_limits(to: str) -> TestResult:
    row = server_row()
    if row is None:
        raise PlatformError(errors.SMTP_NOT_CONFIGURED)
    # What the minute refuses takes nothing from the day.
    for name in ("smtp_test_tenant", "smtp_test_tenant_day"):
        limits.spend(name, require_tenant().id.hex)
    return _test(row, to)


def server_probe(*, to: str) -> TestResult:
    """The same for an operator, to any address and as often as they like. Raises ``smtp_not_configured``."""
    row = server_row()
    if row is None:
        raise PlatformError(errors.SMTP_NOT_CONFIGURED)
    return _test(row, to)


def _test(row: SmtpServer, to: str) -> TestResult:
    began = time.monotonic()
    result = _talk(row, to, began)
    _write_down(row, result)
    return result


def _talk(row: SmtpServer, to: str, began: float) -> TestResult:
    try:
        backend = GuardedSmtpBackend(server_of(row), whole=TEST_SECONDS)
    except (SealBroken, UnknownKey):
        return TestResult(False, "auth", "password_unreadable", None, 0, None)
    message = EmailMessage(
        subject="Test of your mail server",
        body="This mail went through your company's own mail server. It works.\n",
        from_email=row.from_email,
        to=[to],
        headers={"Auto-Submitted": "auto-generated"},
        connection=backend,
    )
    progress, error = backend.progress, None
    # One time for all of it, also for saying goodbye.
    with progress.within(TEST_SECONDS):
        try:
            backend.open()
            backend.send_messages([message])
        except Exception as failure:
            error = failure
        finally:
            backend.close()
    return _result(progress, error, round((time.monotonic() - began) * 1000))


def _result(progress: Progress, error: Exception | None, latency_ms: int) -> TestResult:
    tls = {"version": progress.tls[0], "cipher": progress.tls[1]} if progress.tls else None
    if error is None:
        return TestResult(True, "data", "", None, latency_ms, tls)
    code, smtp_code = _code(progress, error), smtp_code_of(error)
    return TestResult(False, progress.stage, code, smtp_code, latency_ms, tls)


def _code(progress: Progress, error: Exception) -> str:
    if isinstance(error, AddressNotAllowed):
        return "address_not_allowed"
    if isinstance(error, NotResolved):
        return "host_unknown"
    if progress.timed_out or isinstance(error, TimeoutError):
        return "connect_timeout" if progress.stage in ("resolve", "connect") else "timeout"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "certificate_invalid"
    if progress.stage == "connect":
        return "connect_failed"
    if isinstance(error, smtplib.SMTPServerDisconnected | ConnectionError) and progress.stage != "tls":
        return "server_hung_up"
    if isinstance(error, smtplib.SMTPNotSupportedError) and progress.stage == "auth":
        return "auth_not_offered"
    return _REFUSED.get(progress.stage, "connect_failed")


def smtp_code_of(error: Exception) -> int | None:
    """The code of the server's answer, None where it gave none."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next((code for code, _ in error.recipients.values()), None)
    code = getattr(error, "smtp_code", None)
    return code if isinstance(code, int) and 200 <= code < 600 else None


@transaction.atomic
def _write_down(row: SmtpServer, result: TestResult) -> None:
    now = timezone.now()
    values: dict[str, Any] = {"last_test": {**asdict(result), "at": wire_time(now)}}
    if result.ok:
        values |= {"verified_at": now, "failures": 0, "paused_until": None}
    # Only what was tested: somebody may have changed it while the server talked.
    SmtpServer.objects.filter(id=1, updated_at=row.updated_at).update(**values)
    record(
        catalog.SMTP_TESTED,
        subject=("email_settings", "smtp"),
        data={"ok": result.ok, "stage": result.stage, "code": result.code},
    )
