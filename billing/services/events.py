"""What Stripe tells us: kept when it comes, acted on by the outbox. An event only says where to look."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from billing import catalog
from billing.models import BillingAccount, StripeEvent
from billing.services.accounts import account_lock
from billing.services.syncing import journal_of, sync_locked, told_now
from billing.state import moment
from billing.stripe_api import Missing, key_is_live, stripe_api
from platform_site.errors import PlatformError
from platform_site.journal.keys import JournalKey
from platform_site.journal.services import record
from platform_site.outbox.registry import request_kind
from platform_site.outbox.services import enqueue_request
from tenancy.models import Tenant

log = structlog.get_logger(__name__)

STRIPE_EVENT: Final = "billing.stripe_event"
# Of these something of the account may be different. A thin event has a "v1." before its name.
SYNCED: Final = frozenset(
    {
        "checkout.session.completed",
        "checkout.session.async_payment_succeeded",
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
        "customer.subscription.created",
        "customer.subscription.updated",
        "customer.subscription.deleted",
        "customer.subscription.paused",
        "customer.subscription.resumed",
        "customer.subscription.pending_update_applied",
        "customer.subscription.pending_update_expired",
        "customer.subscription.trial_will_end",
        "subscription_schedule.updated",
        "subscription_schedule.released",
        "subscription_schedule.canceled",
        "invoice.paid",
        "invoice.payment_failed",
        "invoice.payment_action_required",
        "invoice.finalization_failed",
        "invoice.marked_uncollectible",
        "invoice.voided",
        "invoice.upcoming",
        "customer.updated",
        "customer.deleted",
        "payment_method.attached",
        "payment_method.automatically_updated",
        "customer.source.expiring",
        "charge.dispute.created",
        "charge.refunded",
    }
)


def event_receive(payload: Mapping[str, Any]) -> bool:
    """Keep a genuine event and have it acted on. False when it is here already. One of another mode is only kept.

    Raises ``KeyError`` or ``TypeError`` for what is no event.
    """
    about = _object(payload)
    event = StripeEvent(
        id=payload["id"],
        type=payload["type"],
        api_version=payload.get("api_version") or "",
        livemode=bool(payload.get("livemode")),
        created=_created(payload["created"]),
        customer_id=_customer_id(about),
        object_id=about.get("id") or "",
        payload=payload,
    )
    if event.livemode != key_is_live() or kind_of(event) not in SYNCED:
        event.status = StripeEvent.Status.IGNORED
        event.last_error = "other_mode" if event.livemode != key_is_live() else ""
    try:
        with transaction.atomic():
            event.save(force_insert=True)
            if event.status == StripeEvent.Status.RECEIVED:
                enqueue_request(kind=STRIPE_EVENT, payload={"event": event.id})
    except IntegrityError:
        # The row is what makes it a second delivery; a fault of another kind is raised by looking.
        StripeEvent.objects.only("id").get(id=event.id)
        return False
    return True


def event_replay(*, event_id: str) -> StripeEvent:
    """Act on an event once more, whatever became of it. Raises ``StripeEvent.DoesNotExist``."""
    with transaction.atomic():
        event = StripeEvent.objects.select_for_update().get(id=event_id)
        event.status = StripeEvent.Status.RECEIVED
        event.last_error = ""
        event.save(update_fields=["status", "last_error"])
        enqueue_request(kind=STRIPE_EVENT, payload={"event": event.id})
    return event


def kind_of(event: StripeEvent) -> str:
    return event.type.removeprefix("v1.")


def _created(value: int | str) -> datetime:
    """Snapshot events have Unix seconds, thin ones RFC 3339."""
    if isinstance(value, str):
        return datetime.fromisoformat(value)
    found = moment(value)
    if found is None:
        raise TypeError("An event has a time.")
    return found


def _object(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """What it is about: whole in a snapshot event, by its id in a thin one."""
    about = payload.get("related_object") or payload["data"]["object"]
    if not isinstance(about, Mapping):
        raise TypeError("An event is about an object.")
    return about


def _customer_id(about: Mapping[str, Any]) -> str:
    if about.get("object") == "customer" or about.get("type") in ("customer", "v1.customer"):
        return str(about.get("id") or "")
    customer = about.get("customer")
    return str(customer["id"] if isinstance(customer, Mapping) else customer or "")


@request_kind(STRIPE_EVENT)
def event_process(request_id: UUID, payload: dict[str, Any]) -> None:
    """Act on one event, once. What went wrong is written on it, and the outbox tries again."""
    event_id = payload["event"]
    try:
        _process(event_id)
    except Exception as error:
        said = error.code.key if isinstance(error, PlatformError) else type(error).__name__
        events = StripeEvent.objects.filter(id=event_id)
        attempts = events.values_list("attempts", flat=True)[0]
        events.update(status=StripeEvent.Status.FAILED, attempts=attempts + 1, last_error=said)
        raise


@transaction.atomic
def _process(event_id: str) -> None:
    event = StripeEvent.objects.select_for_update().get(id=event_id)
    if event.status not in (StripeEvent.Status.RECEIVED, StripeEvent.Status.FAILED):
        return
    account = _account(event)
    if account is None:
        log.error("billing.event_unmatched", event_id=event.id, type=event.type, customer=event.customer_id)
        event.status = StripeEvent.Status.UNMATCHED
    else:
        event.tenant_id = account.tenant_id
        sync_locked(account)
        _tell(event, account)
        event.status = StripeEvent.Status.PROCESSED
        event.last_error = ""
    event.attempts += 1
    event.processed_at = timezone.now()
    event.save()


def _account(event: StripeEvent) -> BillingAccount | None:
    """Whose it is: by customer, else by what we wrote on the customer or on what was bought. Never by an address.

    The account comes locked. An account that has another customer already does not get this one.
    """
    about = _object(event.payload)
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
    news = account.period_end is not None and told_now(account, f"upcoming:{account.period_end.isoformat()}")
    if not news or account.cancel_at is not None:
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


def _tell(event: StripeEvent, account: BillingAccount) -> None:
    """What the state alone does not say: that something is about to happen."""
    notice = _NOTICES.get(kind_of(event))
    found = notice(account, _object(event.payload)) if notice else None
    account.save()
    if found is not None:
        with journal_of(account) as written:
            if written:
                key, data = found
                record(key, subject=("billing", account.tenant_id), data=data)
