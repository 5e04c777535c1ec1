"""What administrators are told about billing."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from accounts.models import User
from accounts.roles import Role
from billing import catalog
from billing.plans import catalogue
from platform_site.journal.keys import JournalKey
from platform_site.journal.models import JournalEntry
from platform_site.notification_events import (
    EMAIL,
    IN_APP,
    Category,
    NotificationEvent,
    Severity,
    Trigger,
    notification_event,
)

# Currencies that have no smaller unit, as Stripe lists them.
_WHOLE: Final = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd", "vuv", "xaf", "xof", "xpf"]
)


def _administrators(entry: JournalEntry) -> Iterable[int]:
    return User.objects.filter(role=Role.TENANT_ADMIN, status=User.Status.ACTIVE).values_list("id", flat=True)


def _plan(entry: JournalEntry) -> Mapping[str, Any]:
    plan = catalogue().find(str(entry.data.get("planId", "")))
    return {"plan": plan.name if plan else "your plan"}


def _day(entry: JournalEntry, name: str) -> str:
    """A date as everybody reads it; the exact moment is on the billing page."""
    moment = datetime.fromisoformat(entry.data[name])
    return f"{moment.day} {moment:%B %Y}"


def _trial(entry: JournalEntry) -> Mapping[str, Any]:
    return {"date": _day(entry, "endsAt")}


def _ends(entry: JournalEntry) -> Mapping[str, Any]:
    return {"date": _day(entry, "at")}


def money(amount: int | None, currency: str) -> str:
    """An amount with its currency: 1,234.50 USD."""
    if amount is None:
        return ""
    code = currency.upper()
    return f"{amount:,} {code}" if currency.lower() in _WHOLE else f"{amount / 100:,.2f} {code}"


def _amount(entry: JournalEntry) -> Mapping[str, Any]:
    return {"amount": money(entry.data.get("amount"), str(entry.data.get("currency") or ""))}


def _seats(entry: JournalEntry) -> Mapping[str, Any]:
    return {"seats": entry.data["seats"], "used": entry.data["used"]}


def _nothing(entry: JournalEntry) -> Mapping[str, Any]:
    return {}


def _event(
    name: str,
    follows: JournalKey,
    texts: tuple[str, str, str, str],
    values: Any = _nothing,
    *,
    sample: Mapping[str, Any] | None = None,
    mail: bool = True,
    category: Category = "transactional",
    severity: Severity = "normal",
) -> NotificationEvent:
    label, description, title, body = texts
    return notification_event(
        NotificationEvent(
            key=f"billing.{name}",
            label=label,
            description=description,
            title=title,
            body=body,
            sample=sample or {},
            channels={IN_APP: True, EMAIL: mail},
            category=category,
            severity=severity,
            action_path="/billing",
            trigger=Trigger(follows, _administrators, values),
        )
    )


TRIAL_ENDING = _event(
    "trial_ending",
    catalog.TRIAL_ENDING,
    (
        "The trial ends soon",
        "Three days before the trial of the workspace ends.",
        "Your trial ends on {{ date }}",
        "Choose a plan to go on without a break. Everything stays as it is.",
    ),
    _trial,
    sample={"date": "15 December 2026"},
)
SUBSCRIPTION_STARTED = _event(
    "subscription_started",
    catalog.SUBSCRIPTION_STARTED,
    (
        "The subscription began",
        "When a plan was bought.",
        "{{ plan }} is yours",
        "Thank you.",
    ),
    _plan,
    sample={"plan": "Pro"},
    mail=False,
)
SUBSCRIPTION_ENDED = _event(
    "subscription_ended",
    catalog.SUBSCRIPTION_ENDED,
    (
        "The subscription ended",
        "When the subscription of the workspace is over.",
        "The subscription has ended",
        "Everything can still be read. Choose a plan to go on working.",
    ),
    _nothing,
    severity="high",
)
CANCELLATION_SCHEDULED = _event(
    "cancellation_scheduled",
    catalog.CANCELLATION_SCHEDULED,
    (
        "The subscription was cancelled",
        "When somebody cancels the subscription with its period.",
        "The subscription ends on {{ date }}",
        "Until then everything works, and the cancellation can be taken back.",
    ),
    _ends,
    sample={"date": "15 December 2026"},
)
PAYMENT_FAILED = _event(
    "payment_failed",
    catalog.PAYMENT_FAILED,
    (
        "A payment failed",
        "When the card could not be charged.",
        "A payment for {{ plan }} failed",
        "Please update the card. Everything works on for a few days.",
    ),
    _plan,
    sample={"plan": "Pro"},
    severity="high",
)
PAYMENT_RECOVERED = _event(
    "payment_recovered",
    catalog.PAYMENT_RECOVERED,
    ("A payment came in after all", "When a payment that had failed succeeds.", "The payment came in", "Thank you."),
    _nothing,
)
PAYMENT_ACTION_REQUIRED = _event(
    "payment_action_required",
    catalog.PAYMENT_ACTION_REQUIRED,
    (
        "A payment has to be confirmed",
        "When the bank asks for a confirmation.",
        "Your bank asks you to confirm a payment",
        "Open the billing page and follow the open invoice.",
    ),
    _nothing,
    severity="high",
)
INVOICE_PAID = _event(
    "invoice_paid",
    catalog.INVOICE_PAID,
    ("An invoice was paid", "When a payment came in.", "{{ amount }} paid", "The invoice is on the billing page."),
    _amount,
    sample={"amount": "120.00 USD"},
    mail=False,
    category="activity",
)
RENEWAL_COMING = _event(
    "renewal_coming",
    catalog.RENEWAL_COMING,
    (
        "The subscription renews soon",
        "A few days before the next payment.",
        "The subscription renews soon: {{ amount }}",
        "Nothing has to be done.",
    ),
    _amount,
    sample={"amount": "120.00 USD"},
    mail=False,
    category="activity",
)
CARD_EXPIRING = _event(
    "card_expiring",
    catalog.CARD_EXPIRING,
    (
        "The card expires soon",
        "When the card that is charged is about to expire.",
        "Your card expires soon",
        "Please give us a new one before the next payment.",
    ),
    _nothing,
)
SEATS_SHORT = _event(
    "seats_short",
    catalog.SEATS_SHORT,
    (
        "More seats are used than paid for",
        "When fewer seats are paid for than people use.",
        "{{ used }} people, {{ seats }} seats",
        "Nobody is locked out. Buy more seats, or deactivate people, before you invite others.",
    ),
    _seats,
    sample={"used": 12, "seats": 10},
)
SECOND_SUBSCRIPTION = _event(
    "second_subscription",
    catalog.SECOND_SUBSCRIPTION,
    (
        "There are two subscriptions",
        "When the workspace pays twice.",
        "The workspace has two subscriptions",
        "Cancel one of them on the billing page, or ask us.",
    ),
    _nothing,
    severity="high",
)
