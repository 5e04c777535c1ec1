"""Whose an event of Stripe's is."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from billing.models import BillingAccount, StripeEvent
from billing.services.accounts import account_lock
from billing.stripe_api import Missing, stripe_api
from tenancy.models import Tenant


def account_of_event(event: StripeEvent, about: Mapping[str, Any]) -> BillingAccount | None:
    """Whose it is: by customer, else by what we wrote on the customer or on what was bought. Never by an address.

    The account comes locked. An account that has another customer already does not get this one.
    """
    if not event.customer_id and about.get("type") in ("subscription", "v1.subscription") and event.object_id:
        event.customer_id = _customer_of_subscription(event.object_id)
    if not event.customer_id:
        return None
    known = BillingAccount.objects.filter(customer_id=event.customer_id).values_list("tenant_id", flat=True).first()
    tenant_id = known or _tenant_named(event.customer_id, about)
    if tenant_id is None:
        return None
    account = account_lock(tenant_id=tenant_id)
    if account.customer_id is None:
        account.customer_id = event.customer_id
    return account if account.customer_id == event.customer_id else None


def _customer_of_subscription(subscription_id: str) -> str:
    try:
        return str(stripe_api().subscription_get(subscription_id)["customer"])
    except Missing:
        return ""


def _tenant_named(customer_id: str, about: Mapping[str, Any]) -> UUID | None:
    customer = stripe_api().customer_get(customer_id)
    if customer is None:
        # Gone: nothing of theirs is taken over any more.
        return None
    details = (about.get("parent") or {}).get("subscription_details") or {}
    said = (
        (customer.get("metadata") or {}).get("tenant_id"),
        (about.get("metadata") or {}).get("tenant_id"),
        about.get("client_reference_id"),
        (details.get("metadata") or {}).get("tenant_id"),
    )
    for text in said:
        try:
            tenant_id = UUID(str(text))
        except ValueError:
            continue
        if Tenant.objects.filter(id=tenant_id).exists():
            return tenant_id
    return None
