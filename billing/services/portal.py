"""Going to Stripe's own page, where card, invoices and subscription are managed."""

from typing import Any

from billing import errors
from billing.models import BillingAccount
from billing.return_paths import is_own_path, own_url
from billing.state import BLOCKING
from billing.stripe_api import Object, Refused, stripe_api
from platform_site.errors import PlatformError, invalid_field


def portal_url(*, account: BillingAccount, return_path: str = "", flow: str = "") -> str:
    """A page of Stripe's on which the customer manages what was bought. Of short life, for whoever has it.

    A ``flow`` that Stripe does not offer now leads to its first page. Raises ``no_billing_account``,
    ``no_active_subscription``, ``return_path_invalid``.
    """
    api = stripe_api()
    if not is_own_path(return_path):
        raise invalid_field("returnPath", errors.RETURN_PATH_INVALID)
    if account.customer_id is None:
        raise PlatformError(errors.NO_BILLING_ACCOUNT, context={"checkout": "/api/v1/billing/checkout"})
    params: dict[str, Any] = {"customer": account.customer_id, "return_url": own_url(return_path, "/billing")}
    if flow:
        params["flow_data"] = _flow(account, flow)
    try:
        session = api.portal_create(params)
    except Refused:
        if not flow:
            raise
        # What it should lead to cannot be done now, such as cancelling again: then to where one sees why.
        session = api.portal_create({name: value for name, value in params.items() if name != "flow_data"})
    url: str = session["url"]
    return url


def _flow(account: BillingAccount, flow: str) -> Object:
    if flow == "payment_method_update":
        return {"type": flow}
    if account.stripe_status not in BLOCKING:
        raise PlatformError(errors.NO_SUBSCRIPTION)
    return {"type": flow, flow: {"subscription": account.subscription_id}}
