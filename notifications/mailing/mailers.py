"""By which server a mail goes."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from notifications.mailing.letters import Letter
from platform_site.mail_connections import send_through


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


def post(letter: Letter, envelope: Envelope) -> Posted:
    """Send it, in no transaction. Raises what the server raises."""
    message = EmailMultiAlternatives(
        subject=letter.subject,
        body=letter.text,
        to=[envelope.to],
        headers={
            "Message-ID": f"<{envelope.message_id}@{settings.MESSAGE_ID_DOMAIN}>",
            "Auto-Submitted": "auto-generated",
            **envelope.headers,
        },
    )
    message.attach_alternative(letter.html, "text/html")
    send_through("platform", get_connection, message)
    return Posted("platform")
