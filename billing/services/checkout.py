"""Going to pay: one open checkout of a tenant at a time, however many people press the button."""

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import User
from billing import catalog, errors
from billing.models import BillingAccount, CheckoutAttempt
from billing.return_paths import own_url
from billing.services.accounts import account_lock
from billing.services.selecting import Selection, price_id
from billing.services.syncing import sync_locked
from billing.state import BLOCKING
from billing.stripe_api import Missing, Object, Refused, stripe_api
from platform_site.errors import PlatformError
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
