"""The endpoint at Stripe that tells us what happens."""

from dataclasses import dataclass, field
from typing import Final

from django.conf import settings

from billing.services.events import SYNCED
from billing.stripe_api import stripe_api

PATH: Final = "/api/v1/billing/webhook"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``id`` is empty when there is none. ``secret`` is told once, when it was made."""

    url: str
    id: str = ""
    status: str = ""
    version: str = ""
    our_version: str = ""
    missing: list[str] = field(default_factory=list)
    secret: str = ""

    @property
    def is_fine(self) -> bool:
        """It is on, speaks our version, and is told all that we want to know."""
        return self.status == "enabled" and self.version == self.our_version and not self.missing


def webhook_url() -> str:
    return f"{settings.PUBLIC_URL}{PATH}"


def webhook_endpoint(*, url: str, create: bool = False) -> Endpoint:
    """What Stripe has for this URL; with ``create``, made when there is none.

    Raises ``billing_not_configured``, ``billing_provider_error``.
    """
    import stripe

    api, version = stripe_api(), stripe.api_version
    found = next((one for one in api.webhook_endpoints() if one["url"] == url), None)
    if found is None and create:
        found = api.webhook_endpoint_create({"url": url, "enabled_events": sorted(SYNCED), "api_version": version})
    if found is None:
        return Endpoint(url, our_version=version)
    listens = set(found["enabled_events"])
    missing = [] if "*" in listens else sorted(SYNCED - listens)
    # An endpoint without a version of its own speaks the account's.
    return Endpoint(
        url, found["id"], found["status"], found["api_version"] or "", version, missing, found.get("secret") or ""
    )
