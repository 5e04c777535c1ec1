"""``/email/webhooks/<provider>``: what the platform's mail provider reports about mails.

Whether a report is genuine is for anymail to find out, by each provider's own
rules. Here it is only kept; the outbox takes it in.
"""

from collections.abc import Mapping
from hashlib import sha256
from importlib import import_module
from typing import Any, Final

import structlog
from anymail.exceptions import AnymailConfigurationError, AnymailWebhookValidationFailure
from anymail.signals import AnymailTrackingEvent, tracking
from django.conf import settings
from django.dispatch import receiver
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from notifications import errors
from notifications.api.outside_shapes import ReceivedOutput
from notifications.machines import looks_like_a_machine
from notifications.mailing.tokens import Purpose, read_mail_token
from notifications.services.provider_events import KNOWN, PROVIDER_EVENT, smtp_status
from platform_site.api.docs import operation
from platform_site.api.permissions import Public
from platform_site.api.views import ApiView
from platform_site.errors import NOT_FOUND, PlatformError
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.services import enqueue_request

log = structlog.get_logger(__name__)

# What anymail checks by default: a name and a password that only the provider was given.
_BASIC: Final = ("WEBHOOK_SECRET",)
# Provider -> (anymail's view, the settings of which one lets anymail tell what is genuine).
PROVIDERS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "amazon_ses": ("AmazonSESTrackingWebhookView", _BASIC),
    "brevo": ("BrevoTrackingWebhookView", _BASIC),
    "mailersend": ("MailerSendTrackingWebhookView", ("MAILERSEND_SIGNING_SECRET",)),
    "mailgun": ("MailgunTrackingWebhookView", ("MAILGUN_WEBHOOK_SIGNING_KEY", "MAILGUN_API_KEY")),
    "mailjet": ("MailjetTrackingWebhookView", _BASIC),
    "mandrill": ("MandrillCombinedWebhookView", ("MANDRILL_WEBHOOK_KEY",)),
    "postal": ("PostalTrackingWebhookView", ("POSTAL_WEBHOOK_KEY",)),
    "postmark": ("PostmarkTrackingWebhookView", _BASIC),
    "resend": ("ResendTrackingWebhookView", _BASIC),
    "sparkpost": ("SparkPostTrackingWebhookView", _BASIC),
}
# Words by which providers tell, beside anymail's one reason, that a bounce may pass.
_SOFT: Final = frozenset({"softbounce", "soft_bounce", "transient", "undetermined", "temporary"})
_HARD: Final = frozenset({"hardbounce", "hard_bounce", "permanent"})


class WebhookView(ApiView):
    access = Public()

    @operation(
        id="email_webhook",
        summary="Reports of the platform's mail provider",
        description="For the provider alone, who signs them or gives a password. Only the provider that is set up has"
        " a path here. The body is the provider's own.",
        input={"type": "object", "additionalProperties": True},
        output=ReceivedOutput,
        example_in={"RecordType": "Delivery", "Metadata": {"ref": "cgGa..."}},
        example={"received": True},
        errors=[NOT_FOUND, errors.WEBHOOK_REFUSED, errors.WEBHOOK_UNREADABLE],
    )
    def post(self, request: Request, provider: str) -> Response:
        if not _is_set_up(provider):
            raise PlatformError(NOT_FOUND)
        view = getattr(import_module(f"anymail.webhooks.{provider}"), PROVIDERS[provider][0]).as_view()
        try:
            # The request itself: nobody has read its body yet, and a signature is over its bytes.
            view(request._request)
        except AnymailWebhookValidationFailure:
            log.warning("webhook.refused", provider=provider)
            raise PlatformError(errors.WEBHOOK_REFUSED) from None
        except (AnymailConfigurationError, ValueError, LookupError, TypeError, AttributeError):
            log.exception("webhook.unreadable", provider=provider)
            raise PlatformError(errors.WEBHOOK_UNREADABLE) from None
        return Response({"received": True})


def _is_set_up(provider: str) -> bool:
    """Whether the platform uses this provider, and can tell its reports from others'."""
    if provider not in PROVIDERS:
        return False
    used = f"anymail.backends.{provider}.EmailBackend" == settings.EMAIL_BACKEND
    used = used or any(name.startswith(f"{provider.upper()}_") for name in settings.ANYMAIL)
    return used and any(settings.ANYMAIL.get(name) for name in PROVIDERS[provider][1])


@receiver(tracking)
def keep(event: AnymailTrackingEvent, esp_name: str, **_: Any) -> None:
    """Keep a report about one of our mails until the outbox takes it in."""
    ref = str((event.metadata or {}).get("ref", ""))
    if event.event_type not in KNOWN or read_mail_token(ref, Purpose.REPORT) is None:
        log.info("webhook.ignored", provider=esp_name, kind=event.event_type)
        return
    at = event.timestamp or timezone.now()
    if timezone.is_naive(at):
        at = timezone.make_aware(at, timezone.get_fixed_timezone(0))
    enqueue_request(
        kind=PROVIDER_EVENT,
        queue=OutboxRow.Queue.BULK,
        payload={
            "ref": ref,
            "kind": event.event_type,
            "event_id": _event_id(event),
            "at": at.isoformat(),
            "recipient": str(event.recipient or "")[:254],
            "reason": str(event.reject_reason or "")[:40],
            "status": smtp_status(event.mta_response) or smtp_status(event.description),
            "soft": _softness(event.esp_event),
            "machine": looks_like_a_machine(user_agent=event.user_agent or "unknown"),
        },
    )


def _event_id(event: AnymailTrackingEvent) -> str:
    """The provider's, or what is the same when it repeats itself."""
    known = str(event.event_id or "")
    if known and len(known) <= 200:
        return known
    parts = (known, event.event_type, event.timestamp, event.recipient, event.message_id, event.click_url)
    return sha256("\x1f".join(map(str, parts)).encode()).hexdigest()


def _softness(raw: Any) -> bool | None:
    """Whether the provider says that a bounce may pass; None when it does not say."""
    said = {str(value).lower() for value in _values(raw)}
    return True if said & _SOFT else False if said & _HARD else None


def _values(raw: Any) -> list[Any]:
    """Where providers say it: Postmark and Brevo at the top, Mailgun, SES and Resend one or two steps down."""
    if not isinstance(raw, Mapping):
        return []
    inside = [value for value in (raw.get(name) for name in ("bounce", "data", "event-data")) if value]
    found = [raw.get(name) for name in ("Type", "event", "type", "bounceType", "severity")]
    return found + [value for one in inside for value in _values(one)]
