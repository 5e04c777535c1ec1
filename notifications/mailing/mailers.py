"""By which server a mail goes, and from whom it comes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import formataddr, parseaddr
from smtplib import SMTPRecipientsRefused
from typing import Final

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from notifications.email_settings.checking import safe_name
from notifications.email_settings.read import Sender, sender_settings
from notifications.email_settings.smtp_server import server_of, server_row
from notifications.mailing.circuit import is_servers_fault, server_failed, server_worked
from notifications.mailing.guarded_smtp import GuardedSmtpBackend
from notifications.mailing.letters import Letter
from notifications.models import SmtpServer
from platform_site.binding import require_tenant
from platform_site.mail_connections import send_through, unreachable
from platform_site.outbox.clock import working_now
from tenancy.models import Tenant

# The platform's server among those that mails share connections to.
PLATFORM: Final = "platform"


@dataclass(frozen=True, slots=True)
class Envelope:
    """Around a letter. ``message_id`` is the part before the @ and the same at every attempt.

    ``metadata`` is for the provider, who gives it back with its reports.
    ``security`` mails go by the platform's server, whatever the tenant has.
    """

    to: str
    message_id: str
    security: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Posted:
    """``mailer``: "platform" or "tenant"."""

    mailer: str
    provider_message_id: str = ""


class MailerPaused(Exception):
    """The tenant's mail server failed too often and is left alone for a while."""

    def __init__(self, until: datetime) -> None:
        super().__init__(until)
        self.until = until


class AddressRefused(Exception):
    """A mail server refused the recipient for good."""


def post(letter: Letter, envelope: Envelope) -> Posted:
    """Send it, in no transaction. Raises ``MailerPaused``, ``AddressRefused``, or what the server raises."""
    try:
        return _post(letter, envelope)
    except SMTPRecipientsRefused as refused:
        if all(500 <= code < 600 for code, _ in refused.recipients.values()):
            raise AddressRefused from refused
        raise


def require_reachable(*, security: bool) -> None:
    """Raise what reaching the platform's server raised a moment ago, if a mail now would go by it.

    So that no letter is written for nothing. A tenant's own server has its circuit, which counts every failure.
    """
    reason = unreachable(PLATFORM)
    if reason is not None and (security or _server_in_use() is None):
        raise reason


def _post(letter: Letter, envelope: Envelope) -> Posted:
    sender = sender_settings()
    server = None if envelope.security else _server_in_use()
    if server is None:
        return _post_by_platform(
            _message(letter, envelope, sender, parseaddr(settings.DEFAULT_FROM_EMAIL)[1]), envelope
        )
    return _post_by(server, _message(letter, envelope, sender, server.from_email))


def _server_in_use() -> SmtpServer | None:
    """The tenant's server if mail is to go by it now; raises ``MailerPaused`` when mail has to wait for it."""
    server = server_row()
    if server is None or not server.enabled or server.verified_at is None:
        return None
    if server.paused_until is not None and server.paused_until > working_now():
        if server.fallback_to_platform:
            return None
        raise MailerPaused(server.paused_until)
    return server


def _message(letter: Letter, envelope: Envelope, sender: Sender, address: str) -> EmailMultiAlternatives:
    name = sender.from_name or _company_name()
    message = EmailMultiAlternatives(
        subject=_one_line(letter.subject),
        body=letter.text,
        from_email=formataddr((safe_name(name), address)),
        to=[envelope.to],
        reply_to=[sender.reply_to] if sender.reply_to else None,
        headers={
            "Message-ID": f"<{envelope.message_id}@{settings.MESSAGE_ID_DOMAIN}>",
            "Auto-Submitted": "auto-generated",
            **{header: _one_line(value) for header, value in envelope.headers.items()},
        },
    )
    message.attach_alternative(letter.html, "text/html")
    return message


def _company_name() -> str:
    name: str = Tenant.objects.values_list("name", flat=True).get(id=require_tenant().id)
    return name


def _one_line(text: str) -> str:
    """A line break in a header would begin another one."""
    return " ".join(text.split())


def _post_by_platform(message: EmailMultiAlternatives, envelope: Envelope) -> Posted:
    if settings.EMAIL_BACKEND.startswith("anymail."):
        message.metadata = dict(envelope.metadata)  # type: ignore[attr-defined]
        message.tags = ["notifications"]  # type: ignore[attr-defined]
    send_through(PLATFORM, get_connection, message)
    # With one recipient it is one id; backends that are no provider's say nothing.
    said = getattr(getattr(message, "anymail_status", None), "message_id", None)
    return Posted("platform", said[:200] if isinstance(said, str) else "")


def _post_by(server: SmtpServer, message: EmailMultiAlternatives) -> Posted:
    # With another address or password it is another connection.
    key = f"tenant:{require_tenant().id.hex}:{server.updated_at.isoformat()}"
    try:
        send_through(key, lambda: GuardedSmtpBackend(server_of(server)), message)
    except Exception as error:
        if is_servers_fault(error):
            server_failed(server, working_now())
        raise
    server_worked(server)
    return Posted("tenant")
