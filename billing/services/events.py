"""What Stripe tells us: kept when it comes, acted on by the outbox. An event only says where to look."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from billing.models import BillingAccount, StripeEvent
from billing.services.matching import account_of_event
from billing.services.notices import Notice, notice_of
from billing.services.syncing import journal_of, sync_locked
from billing.state import moment
from billing.stripe_api import key_is_live
from platform_site.errors import PlatformError
from platform_site.journal.services import record
from platform_site.metrics.instruments import Counter
from platform_site.outbox.registry import request_kind
from platform_site.outbox.services import enqueue_request

log = structlog.get_logger(__name__)

STRIPE_EVENT: Final = "billing.stripe_event"
HEARD: Final = Counter("core_stripe_events_total", "Events of Stripe, by what became of them", ("outcome",))
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
        HEARD.add("again")
        return False
    HEARD.add(str(event.status))
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
        HEARD.add(str(StripeEvent.Status.FAILED.value))
        raise


@transaction.atomic
def _process(event_id: str) -> None:
    event = StripeEvent.objects.select_for_update().get(id=event_id)
    if event.status not in (StripeEvent.Status.RECEIVED, StripeEvent.Status.FAILED):
        return
    about = _object(event.payload)
    account = account_of_event(event, about)
    if account is None:
        log.error("billing.event_unmatched", event_id=event.id, type=event.type, customer=event.customer_id)
        event.status = StripeEvent.Status.UNMATCHED
    else:
        event.tenant_id = account.tenant_id
        sync_locked(account)
        _tell(account, notice_of(kind_of(event), account, about))
        event.status = StripeEvent.Status.PROCESSED
        event.last_error = ""
    event.attempts += 1
    event.processed_at = timezone.now()
    event.save()
    transaction.on_commit(lambda: HEARD.add(str(event.status)))


def _tell(account: BillingAccount, notice: Notice | None) -> None:
    if notice is None:
        return
    account.save(update_fields=["told", "trial_notice_for", "updated_at"])
    with journal_of(account) as written:
        if written:
            key, data = notice
            record(key, subject=("billing", account.tenant_id), data=data)
