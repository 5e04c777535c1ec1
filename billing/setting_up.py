"""What the set-up asks of billing, and what about billing waits for administrators."""

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone

from billing.models import BillingAccount
from billing.selectors.accounts import account_of
from billing.selectors.allowance import has_bought
from billing.state import STANDING, access_of, is_comped
from platform_site.action_items import NOTHING, ActionItem, Found, Window, found
from platform_site.api.identity import Identity
from platform_site.binding import require_tenant
from platform_site.setup_tasks import CheckResult

# So long before its end a trial is something to do about.
TRIAL_IN_SIGHT: Final = timedelta(days=7)
_URL: Final = "/billing"


def there_is_billing() -> bool:
    return bool(settings.BILLING_CONFIGURED)


def plan_is_chosen() -> CheckResult:
    """Whether the workspace is subscribed, also while Stripe's trial runs, or free of charge."""
    account = account_of(tenant_id=require_tenant().id)
    chosen = account.stripe_status in STANDING or is_comped(account, timezone.now())
    return CheckResult(chosen, account.plan_id if chosen else "")


def what_is_to_be_paid(asker: Identity, window: Window) -> Found:
    """A payment that failed, or a trial that ends soon. One query."""
    if not settings.BILLING_CONFIGURED:
        return NOTHING
    account = account_of(tenant_id=asker.tenant.id)
    item = _payment(account) or _trial(account, window)
    return found([item], window) if item else NOTHING


def _payment(account: BillingAccount) -> ActionItem | None:
    if account.past_due_since is None:
        return None
    return ActionItem(
        id="billing:payment",
        app="billing",
        type="payment_past_due",
        title="A payment failed: update the card",
        url=_URL,
        priority="urgent",
        due_at=access_of(account).read_only_from,
        created_at=account.past_due_since,
    )


def _trial(account: BillingAccount, window: Window) -> ActionItem | None:
    ends = account.trial_ends_at
    if ends is None or has_bought(account) or is_comped(account, window.now) or ends > window.now + TRIAL_IN_SIGHT:
        return None
    return ActionItem(
        id="billing:trial",
        app="billing",
        type="trial_ending" if ends > window.now else "trial_expired",
        title="Your trial ends soon: choose a plan" if ends > window.now else "Your trial is over: choose a plan",
        url=_URL,
        priority="high" if ends > window.now else "urgent",
        due_at=ends,
        created_at=account.trial_started_at,
    )
