"""Going to pay: one open checkout of a tenant at a time, however many people press the button."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.seats import seats_used
from billing import catalog, errors
from billing.models import BillingAccount, CheckoutAttempt
from billing.plans import Interval, Plan, catalogue
from billing.services.accounts import account_lock
from billing.services.syncing import sync_locked
from billing.state import BLOCKING
from billing.stripe_api import Missing, Object, Refused, stripe_api
from platform_site.errors import PlatformError, invalid_field
from platform_site.journal.services import record

# Stripe takes a trial's end that is at least two days away.
SHORTEST_TRIAL: Final = timedelta(days=2, minutes=5)
# A session with less time left is not handed out again.
LEAST_LEFT: Final = timedelta(minutes=10)
# The languages of Stripe's pages; others are left to the browser.
STRIPE_LOCALES: Final = frozenset(
    (*("bg", "cs", "da", "de", "el", "en", "es", "et", "fi", "fil", "fr", "hr", "hu", "id", "it", "ja", "ko", "lt"),
     *("lv", "ms", "mt", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sv", "th", "tr", "vi", "zh"))
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Selection:
    """What somebody wants to buy. Paths are of the product's frontend; "" for its billing page."""

    plan: Plan
    interval: Interval
    quantity: int
    success_path: str = ""
    cancel_path: str = ""


def selection_of(
    *, plan_id: str, interval: str, quantity: int | None = None, success_path: str = "", cancel_path: str = ""
) -> Selection:
    """Judge what was asked for, in the bound tenant.

    Raises ``unknown_plan``, ``unknown_interval``, ``plan_not_purchasable``, ``quantity_not_allowed`` and
    ``return_path_invalid`` with their fields, and ``quantity_below_used_seats``.
    """
    plan = catalogue().find(plan_id)
    if plan is None:
        raise invalid_field("planId", errors.UNKNOWN_PLAN)
    if not plan.prices:
        raise invalid_field("planId", errors.PLAN_NOT_PURCHASABLE)
    if interval not in plan.prices:
        raise invalid_field("interval", errors.UNKNOWN_INTERVAL)
    for name, path in (("successPath", success_path), ("cancelPath", cancel_path)):
        if not is_own_path(path):
            raise invalid_field(name, errors.RETURN_PATH_INVALID)
    return Selection(plan, interval, _quantity(plan, quantity), success_path, cancel_path)


def _quantity(plan: Plan, wanted: int | None) -> int:
    used = seats_used()
    if not plan.counts_seats:
        if wanted not in (None, 1):
            raise invalid_field("quantity", errors.QUANTITY_NOT_ALLOWED, "This plan is not sold by the seat.")
        if plan.seats.mode == "included" and used > plan.seats.included:
            raise _too_few(plan.seats.included, used)
        return 1
    quantity = max(used, plan.seats.min) if wanted is None else wanted
    if not plan.seats.min <= quantity <= plan.seats.max:
        text = f"Between {plan.seats.min} and {plan.seats.max} seats are sold."
        raise invalid_field("quantity", errors.QUANTITY_NOT_ALLOWED, text)
    if quantity < used:
        raise _too_few(quantity, used)
    return quantity


def _too_few(seats: int, used: int) -> PlatformError:
    return PlatformError(errors.QUANTITY_BELOW_USED, context={"seats": seats, "used": used})


def is_own_path(path: str) -> bool:
    """Whether a browser that is sent there stays with the product. "" is."""
    if not path:
        return True
    parts = urlsplit(path)
    return (
        path.startswith("/")
        and not path.startswith("//")
        and "\\" not in path
        and not (parts.scheme or parts.netloc)
        and path.isprintable()
    )


def own_url(path: str, default: str) -> str:
    """A path of the frontend as a whole address; of our own pages where there is no frontend."""
    return (settings.FRONTEND_URL or settings.PUBLIC_URL) + (path or default)


def checkout_start(*, tenant_id: UUID, user: User, selection: Selection) -> CheckoutAttempt:
    """An open checkout for this selection: the one that is there, or a new one in place of another.

    Raises ``already_subscribed``, ``checkout_completed``, ``billing_not_configured``, ``billing_provider_error``.
    """
    stripe_api()
    # The try and its key are kept before Stripe is asked for it: after a timeout the same key asks again.
    attempt = _choose_attempt(tenant_id, user, selection)
    if isinstance(attempt, PlatformError):
        raise attempt
    if attempt.session_id:
        return attempt
    _make_customer(tenant_id, user)
    return _open_session(attempt.id, tenant_id, selection)


@transaction.atomic
def _choose_attempt(tenant_id: UUID, user: User, selection: Selection) -> PlatformError | CheckoutAttempt:
    """A refusal is given back, not raised: what was found out on the way has to be kept."""
    account = account_lock(tenant_id=tenant_id)
    sync_locked(account)
    if account.stripe_status in BLOCKING:
        return _already(account)
    now = timezone.now()
    attempt = CheckoutAttempt.objects.filter(account=account, status=CheckoutAttempt.Status.OPEN).first()
    if attempt is not None and _is_same(attempt, selection, now):
        return attempt
    if attempt is not None and not _expire(attempt):
        # It was paid for between our look and now.
        sync_locked(account)
        return PlatformError(errors.CHECKOUT_COMPLETED, context=_manage())
    made = CheckoutAttempt.objects.create(
        account=account,
        plan_id=selection.plan.id,
        interval=selection.interval,
        quantity=selection.quantity,
        success_path=selection.success_path,
        cancel_path=selection.cancel_path,
        locale=user.locale or "",
        created_by=user.uuid,
    )
    record(
        catalog.CHECKOUT_STARTED,
        subject=("billing", tenant_id),
        data={"planId": selection.plan.id, "interval": selection.interval, "quantity": selection.quantity},
    )
    return made


def _already(account: BillingAccount) -> PlatformError:
    return PlatformError(errors.ALREADY_SUBSCRIBED, context={"status": account.stripe_status, **_manage()})


def _manage() -> dict[str, str]:
    return {"manage": "/api/v1/billing/portal"}


def _is_same(attempt: CheckoutAttempt, selection: Selection, now: datetime) -> bool:
    bought = (attempt.plan_id, attempt.interval, attempt.quantity, attempt.success_path, attempt.cancel_path)
    wanted = (
        selection.plan.id,
        selection.interval,
        selection.quantity,
        selection.success_path,
        selection.cancel_path,
    )
    if attempt.session_id:
        return bought == wanted and attempt.expires_at is not None and attempt.expires_at > now + LEAST_LEFT
    # Stripe's answer was lost: within a day the same key gives the session that it made.
    return bought == wanted and attempt.created_at > now - timedelta(hours=23)


def _expire(attempt: CheckoutAttempt) -> bool:
    """Close an open try. False when somebody has paid for it."""
    status = CheckoutAttempt.Status.EXPIRED
    if attempt.session_id:
        try:
            status = stripe_api().checkout_expire(attempt.session_id)["status"]
        except Missing:
            pass
        except Refused:
            # It is not open any more; as what, its own word says.
            status = stripe_api().checkout_get(attempt.session_id)["status"]
    attempt.status = status
    attempt.save(update_fields=["status"])
    return attempt.status != CheckoutAttempt.Status.COMPLETE


@transaction.atomic
def _make_customer(tenant_id: UUID, user: User) -> None:
    """The tenant's customer, once. Its own step, so that it is kept when the next one fails.

    Made with what never changes, so that whoever tries again after a lost answer says the same.
    """
    account = account_lock(tenant_id=tenant_id)
    if account.customer_id is not None:
        return
    made = stripe_api().customer_create(
        {"metadata": {"tenant_id": str(tenant_id)}}, key=f"customer:{tenant_id.hex}:{account.created_at.timestamp()}"
    )
    account.customer_id = made["id"]
    account.save(update_fields=["customer_id", "updated_at"])
    stripe_api().customer_update(made["id"], {"name": account.tenant.name, "email": user.email})


@transaction.atomic
def _open_session(attempt_id: UUID, tenant_id: UUID, selection: Selection) -> CheckoutAttempt:
    account = account_lock(tenant_id=tenant_id)
    attempt = CheckoutAttempt.objects.get(id=attempt_id)
    if attempt.session_id:
        # Somebody else with the same wish was faster.
        return attempt
    if attempt.status != CheckoutAttempt.Status.OPEN:
        raise PlatformError(errors.CHECKOUT_COMPLETED, context=_manage())
    price = price_id(selection.plan, selection.interval)
    session = stripe_api().checkout_create(_session_params(account, attempt, price), key=f"checkout:{attempt.id.hex}")
    attempt.session_id = session["id"]
    attempt.url = session["url"] or ""
    attempt.expires_at = datetime.fromtimestamp(session["expires_at"], timezone.get_fixed_timezone(0))
    attempt.save(update_fields=["session_id", "url", "expires_at"])
    return attempt


def price_id(plan: Plan, interval: Interval) -> str:
    """Stripe's id of a price. Raises ``billing_provider_error`` when Stripe has none under its lookup key."""
    key = plan.lookup_key(interval)
    price = stripe_api().prices_by([key]).get(key)
    if price is None:
        raise PlatformError(
            errors.BILLING_PROVIDER_ERROR, "The payment provider has no price for this plan.", context={"price": key}
        )
    found: str = price["id"]
    return found


def _session_params(account: BillingAccount, attempt: CheckoutAttempt, price: str) -> Object:
    tenant_id = str(account.tenant_id)
    item: Object = {"price": price, "quantity": attempt.quantity}
    subscription: Object = {
        "metadata": {"tenant_id": tenant_id},
        "billing_mode": {"type": "flexible"},
    }
    # Counted from the try, so that a repeat under the same key says the same.
    trial_left = (account.trial_ends_at or attempt.created_at) - attempt.created_at
    if not account.subscription_id and trial_left > SHORTEST_TRIAL and account.trial_ends_at is not None:
        subscription["trial_end"] = int(account.trial_ends_at.timestamp())
        subscription["trial_settings"] = {"end_behavior": {"missing_payment_method": "pause"}}
    params: Object = {
        "mode": "subscription",
        "customer": account.customer_id,
        "client_reference_id": tenant_id,
        "line_items": [item],
        "metadata": {"tenant_id": tenant_id, "attempt_id": str(attempt.id)},
        "subscription_data": subscription,
        "success_url": _with_session(own_url(attempt.success_path, "/billing")),
        "cancel_url": own_url(attempt.cancel_path, "/billing"),
        "allow_promotion_codes": True,
        "automatic_tax": {"enabled": settings.STRIPE_AUTOMATIC_TAX},
    }
    language = attempt.locale.split("-")[0].lower()
    if language in STRIPE_LOCALES:
        params["locale"] = language
    return params


def _with_session(url: str) -> str:
    """Stripe puts the session's id where this stands; the frontend hands it to /billing/sync."""
    return f"{url}{'&' if urlsplit(url).query else '?'}session_id={{CHECKOUT_SESSION_ID}}"


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
