"""What an event tells besides how things are: that something is about to happen, or that staff should look."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog

from billing import catalog
from billing.models import BillingAccount
from billing.services.syncing import told_now
from platform_site.journal.keys import JournalKey

log = structlog.get_logger(__name__)

Notice = tuple[JournalKey, dict[str, Any]]


def _trial_will_end(account: BillingAccount, about: Mapping[str, Any]) -> Notice | None:
    ends = account.stripe_trial_ends_at
    if ends is None or account.trial_notice_for == ends or account.cancel_at is not None:
        return None
    account.trial_notice_for = ends
    return catalog.TRIAL_ENDING, {"endsAt": ends.isoformat(), "hasCard": bool(account.card_last4)}


def _action_required(account: BillingAccount, about: Mapping[str, Any]) -> Notice | None:
    news = told_now(account, f"action:{about.get('id')}")
    return (catalog.PAYMENT_ACTION_REQUIRED, {}) if news else None


def _upcoming(account: BillingAccount, about: Mapping[str, Any]) -> Notice | None:
    if account.period_end is None or account.cancel_at is not None:
        return None
    if not told_now(account, f"upcoming:{account.period_end.isoformat()}"):
        return None
    return catalog.RENEWAL_COMING, {"amount": about.get("amount_due"), "currency": about.get("currency")}


def _card_expiring(account: BillingAccount, about: Mapping[str, Any]) -> Notice | None:
    news = told_now(account, f"card:{about.get('id')}")
    return (catalog.CARD_EXPIRING, {"last4": about.get("last4") or account.card_last4}) if news else None


def _disputed(account: BillingAccount, about: Mapping[str, Any]) -> Notice | None:
    log.error("billing.charge_disputed", tenant=str(account.tenant_id), object=about.get("id"))
    news = told_now(account, f"charge:{about.get('object')}:{about.get('id')}")
    return (catalog.CHARGE_DISPUTED, {"kind": about.get("object"), "id": about.get("id")}) if news else None


def _not_finalized(account: BillingAccount, about: Mapping[str, Any]) -> Notice | None:
    """Mostly taxes that could not be worked out: for staff, not for the tenant."""
    log.error("billing.invoice_not_finalized", tenant=str(account.tenant_id), invoice=about.get("id"))
    return None


_NOTICES: Final[Mapping[str, Callable[[BillingAccount, Mapping[str, Any]], Notice | None]]] = {
    "customer.subscription.trial_will_end": _trial_will_end,
    "invoice.payment_action_required": _action_required,
    "invoice.upcoming": _upcoming,
    "customer.source.expiring": _card_expiring,
    "charge.dispute.created": _disputed,
    "charge.refunded": _disputed,
    "invoice.finalization_failed": _not_finalized,
}


def notice_of(kind: str, account: BillingAccount, about: Mapping[str, Any]) -> Notice | None:
    """What is to be written down because of an event of this kind, if it is news. The caller saves the account."""
    notice = _NOTICES.get(kind)
    return notice(account, about) if notice else None
