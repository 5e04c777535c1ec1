"""``/billing/webhook``: what Stripe tells us. Kept when it is genuine, acted on by the outbox."""

import orjson
import structlog
from django.conf import settings
from rest_framework.request import Request
from rest_framework.response import Response

from billing import errors
from billing.api.serializers import WebhookReceivedOutput
from billing.services.events import event_receive
from platform_site.api.docs import operation
from platform_site.api.permissions import Public
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView
from platform_site.errors import PAYLOAD_TOO_LARGE, PlatformError

log = structlog.get_logger(__name__)

MOST_BYTES = 256 * 1024
# How old a signature may be, in seconds.
TOLERANCE = 300


class WebhookView(ApiView):
    access = Public()
    when_unpaid = WhenUnpaid.ALWAYS

    @operation(
        id="billing_webhook",
        summary="Events of Stripe",
        description="For Stripe alone, who signs them. An event that came already is answered the same way. The body"
        " is Stripe's own: a snapshot event or a thin one.",
        input={"type": "object", "additionalProperties": True},
        output=WebhookReceivedOutput,
        example_in={"id": "evt_1Qa2b3c4d5", "object": "event", "type": "invoice.paid"},
        example={"received": True, "duplicate": False},
        errors=[
            errors.WEBHOOK_SIGNATURE_INVALID,
            errors.WEBHOOK_BODY_INVALID,
            errors.BILLING_NOT_CONFIGURED,
            PAYLOAD_TOO_LARGE,
        ],
    )
    def post(self, request: Request) -> Response:
        # The request itself: a signature is over the bytes, and nothing has read them yet.
        body = request._request.body
        if len(body) > MOST_BYTES:
            raise PlatformError(PAYLOAD_TOO_LARGE)
        _verify(body, request.headers.get("Stripe-Signature", ""))
        try:
            is_new = event_receive(orjson.loads(body))
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
            log.warning("billing.event_unreadable")
            raise PlatformError(errors.WEBHOOK_BODY_INVALID) from None
        return Response({"received": True, "duplicate": not is_new})


def _verify(body: bytes, header: str) -> None:
    """By any of our secrets: two are live while one takes the other's place."""
    if not settings.BILLING_CONFIGURED or not settings.STRIPE_WEBHOOK_SECRETS:
        raise PlatformError(errors.BILLING_NOT_CONFIGURED, retry_after=3600)
    import stripe

    for secret in settings.STRIPE_WEBHOOK_SECRETS:
        try:
            stripe.WebhookSignature.verify_header(body, header, secret, tolerance=TOLERANCE)
        except (stripe.SignatureVerificationError, UnicodeDecodeError, ValueError):
            continue
        return
    log.warning("billing.signature_invalid")
    raise PlatformError(errors.WEBHOOK_SIGNATURE_INVALID)
