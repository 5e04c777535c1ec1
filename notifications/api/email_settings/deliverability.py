"""``/settings/email/deliverability`` and ``/status``: what the DNS says, and whether mail can go."""

from dataclasses import asdict
from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from notifications.api.email_settings import examples
from notifications.api.email_settings.domain_shapes import (
    DeliverabilityOutput,
    EmailStatusOutput,
    present_deliverability,
)
from notifications.api.email_settings.serializers import DeliverabilityInput
from notifications.api.email_settings.views import MANAGED
from notifications.email_settings.deliverability import deliverability_set, deliverability_state
from notifications.email_settings.status import email_status
from platform_site.api.docs import operation
from platform_site.api.permissions import SignedIn
from platform_site.api.views import ApiView
from platform_site.limits import spend


class DeliverabilityView(ApiView):
    access: ClassVar = MANAGED

    @operation(
        id="email_deliverability",
        summary="What the DNS said about the sender's domain when it was last asked",
        output=DeliverabilityOutput,
        example=examples.DELIVERABILITY,
    )
    def get(self, request: Request) -> Response:
        return Response(present_deliverability(deliverability_state()))

    @operation(
        id="email_deliverability_set",
        summary="Change the sender's domain, and have the DNS asked",
        description="What is not named stays; null goes back to the default. Without a `domain` it is that of the mail"
        " server's sender. The answer is `pending`; ask again in a moment. Also an empty change has the DNS asked.",
        input=DeliverabilityInput,
        output=DeliverabilityOutput,
        example_in={"domain": "acme.example", "dkimSelectors": ["pm"], "provider": "postmark"},
        example=examples.DELIVERABILITY,
    )
    def put(self, request: Request) -> Response:
        changes = self.read(DeliverabilityInput)
        self._spent = [spend("domain_check_tenant", self.identity.tenant.id.hex)]
        return Response(present_deliverability(deliverability_set(changes)))

    patch = put


class EmailStatusView(ApiView):
    access = SignedIn()

    @operation(
        id="email_status",
        summary="Whether the company's mail can go, and what stands against it",
        description="`blocking` keeps mail from going, `warnings` from arriving. `last24h` is about the mails that were"
        " made in the last 24 hours; without any the rates are null.",
        output=EmailStatusOutput,
        example=examples.STATUS,
    )
    def get(self, request: Request) -> Response:
        status = asdict(email_status())
        return Response(dict(EmailStatusOutput({**status, "suppressed": {"count": status["suppressed"]}}).data))
