"""The one door to Stripe: a few calls, plain data, errors of ours.

The SDK is loaded with the first call, because it takes 30 MB that a process which
never talks to Stripe does not need. Answers are dictionaries as Stripe's API
reference describes them, in the version that the SDK pins.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import structlog
from django.conf import settings

from billing import errors
from platform_site.errors import PlatformError

if TYPE_CHECKING:
    from stripe import StripeClient

log = structlog.get_logger(__name__)

Object = dict[str, Any]
# How many times the SDK repeats by itself what did not get through, with the same Idempotency-Key.
RETRIES: Final = 1
# As many subscriptions as one customer is looked at.
MOST_SUBSCRIPTIONS: Final = 100


class Refused(PlatformError):
    """Stripe understood and said no. ``said`` is Stripe's code. To clients, who did not ask Stripe, its fault."""

    def __init__(self, said: str) -> None:
        super().__init__(errors.BILLING_PROVIDER_ERROR, "The payment provider refused this.")
        self.said = said


class Missing(Refused):
    """Stripe knows no such object, or it is over."""


class Stripe:
    """Calls that billing needs. Each raises ``billing_provider_error`` when there was no answer that counts."""

    def __init__(self, client: "StripeClient") -> None:
        self._v1 = client.v1

    def customer_create(self, params: Mapping[str, Any], *, key: str) -> Object:
        return _call(self._v1.customers.create, params=params, key=key)

    def customer_update(self, customer_id: str, params: Mapping[str, Any]) -> Object:
        return _call(self._v1.customers.update, customer_id, params=params)

    def customer_get(self, customer_id: str) -> Object | None:
        """With the card that is charged by default; None when it was deleted or never was."""
        retrieve, card = self._v1.customers.retrieve, {"expand": ["invoice_settings.default_payment_method"]}
        try:
            found = _call(retrieve, customer_id, params=card)
        except Missing:
            return None
        except Refused:
            # Of a customer who was deleted there is nothing left to be expanded.
            found = _call(retrieve, customer_id)
            if not found.get("deleted"):
                raise
        return None if found.get("deleted") else found

    def subscriptions_of(self, customer_id: str) -> Sequence[Object]:
        """All of a customer, also those that ended, each with its newest invoice and its card."""
        params = {
            "customer": customer_id,
            "status": "all",
            "limit": MOST_SUBSCRIPTIONS,
            "expand": ["data.latest_invoice", "data.default_payment_method"],
        }
        found: list[Object] = _call(self._v1.subscriptions.list, params=params)["data"]
        return found

    def subscription_get(self, subscription_id: str) -> Object:
        return _call(self._v1.subscriptions.retrieve, subscription_id)

    def subscription_update(self, subscription_id: str, params: Mapping[str, Any], *, key: str) -> Object:
        return _call(self._v1.subscriptions.update, subscription_id, params=params, key=key)

    def subscription_cancel(self, subscription_id: str, params: Mapping[str, Any], *, key: str) -> Object:
        return _call(self._v1.subscriptions.cancel, subscription_id, params=params, key=key)

    def item_update(self, item_id: str, params: Mapping[str, Any], *, key: str) -> Object:
        return _call(self._v1.subscription_items.update, item_id, params=params, key=key)

    def schedule_create(self, params: Mapping[str, Any], *, key: str) -> Object:
        return _call(self._v1.subscription_schedules.create, params=params, key=key)

    def schedule_get(self, schedule_id: str) -> Object:
        return _call(self._v1.subscription_schedules.retrieve, schedule_id, params={"expand": ["phases.items.price"]})

    def schedule_update(self, schedule_id: str, params: Mapping[str, Any], *, key: str) -> Object:
        return _call(self._v1.subscription_schedules.update, schedule_id, params=params, key=key)

    def schedule_release(self, schedule_id: str, *, key: str) -> Object:
        return _call(self._v1.subscription_schedules.release, schedule_id, key=key)

    def checkout_create(self, params: Mapping[str, Any], *, key: str) -> Object:
        return _call(self._v1.checkout.sessions.create, params=params, key=key)

    def checkout_get(self, session_id: str) -> Object:
        return _call(self._v1.checkout.sessions.retrieve, session_id)

    def checkout_expire(self, session_id: str) -> Object:
        return _call(self._v1.checkout.sessions.expire, session_id)

    def portal_create(self, params: Mapping[str, Any]) -> Object:
        return _call(self._v1.billing_portal.sessions.create, params=params)

    def invoices_of(self, customer_id: str, *, limit: int, starting_after: str = "") -> Object:
        """One page, newest first: ``data`` and ``has_more``."""
        params: Object = {"customer": customer_id, "limit": limit}
        if starting_after:
            params["starting_after"] = starting_after
        return _call(self._v1.invoices.list, params=params)

    def invoice_preview(self, params: Mapping[str, Any]) -> Object:
        return _call(self._v1.invoices.create_preview, params=params)

    def prices_by(self, lookup_keys: Sequence[str]) -> Mapping[str, Object]:
        """Active prices by their lookup key. Stripe takes ten keys at a time."""
        found: dict[str, Object] = {}
        for start in range(0, len(lookup_keys), 10):
            params = {"lookup_keys": list(lookup_keys[start : start + 10]), "active": True, "limit": 100}
            found |= {price["lookup_key"]: price for price in _call(self._v1.prices.list, params=params)["data"]}
        return found

    def price_create(self, params: Mapping[str, Any], *, key: str) -> Object:
        return _call(self._v1.prices.create, params=params, key=key)

    def product_create(self, params: Mapping[str, Any], *, key: str) -> Object:
        return _call(self._v1.products.create, params=params, key=key)

    def webhook_endpoints(self) -> Sequence[Object]:
        found: list[Object] = _call(self._v1.webhook_endpoints.list, params={"limit": 100})["data"]
        return found

    def webhook_endpoint_create(self, params: Mapping[str, Any]) -> Object:
        return _call(self._v1.webhook_endpoints.create, params=params)


def stripe_api() -> Stripe:
    """Stripe with the key of the settings. Raises ``billing_not_configured`` without one."""
    if not settings.BILLING_CONFIGURED:
        raise PlatformError(errors.BILLING_NOT_CONFIGURED, retry_after=3600)
    return _connect(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE, settings.STRIPE_TIMEOUT_SECONDS)


def key_is_live() -> bool:
    """Whether our key moves real money: sk_live_ and rk_live_ do."""
    return "_live_" in settings.STRIPE_SECRET_KEY[:8]


@cache
def _connect(key: str, base: str, timeout: int) -> Stripe:
    import stripe

    client = stripe.StripeClient(
        key,
        base_addresses={"api": base} if base else None,
        max_network_retries=RETRIES,
        http_client=stripe.RequestsClient(timeout=timeout),
    )
    return Stripe(client)


def _call(method: Callable[..., Any], *ids: str, params: Mapping[str, Any] | None = None, key: str = "") -> Object:
    import stripe

    options = {"idempotency_key": key} if key else {}
    try:
        answer = method(*ids, params=dict(params or {}), options=options)
    except stripe.InvalidRequestError as error:
        if error.code == "resource_missing" or error.http_status == 404:
            raise Missing("resource_missing") from None
        _note("stripe.refused", error)
        raise Refused(error.code or "") from None
    except stripe.CardError as error:
        raise PlatformError(errors.PAYMENT_DECLINED, context={"reason": error.code or ""}) from None
    except stripe.StripeError as error:
        _note("stripe.away", error)
        raise PlatformError(errors.BILLING_PROVIDER_ERROR) from None
    plain: Object = answer.to_dict()
    return plain


def _note(what: str, error: Any) -> None:
    """Stripe's request id leads to its own log; it is for ours, not for clients."""
    log.warning(
        what,
        kind=type(error).__name__,
        status=error.http_status,
        code=error.code,
        stripe_request=error.request_id,
    )
