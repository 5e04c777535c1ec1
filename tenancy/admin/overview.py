"""Everything that a tenant's page says, by a fixed number of queries: most in public, a few inside the tenant."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import structlog
from django.db import DatabaseError, connection, transaction
from django.db.models import Count, Sum
from django.utils import timezone

from accounts.models import User
from accounts.seats import HOLDING
from accounts.staff.columns import moment_text
from accounts.staff.models import StaffAct, StaffSession
from billing.models import BillingAccount, BillingChange, StripeEvent
from billing.selectors.accounts import first_account
from billing.selectors.allowance import allowance_of
from billing.state import access_of, status_of
from notifications.email_settings.smtp_server import server_row
from notifications.models import SmtpServer
from platform_site.backoffice.counting import mail_server_state
from platform_site.backoffice.models import TenantDay, TenantFigures
from platform_site.binding import bind
from platform_site.outbox.models import OutboxRow
from platform_site.tenants import READABLE
from tenancy.migrating.history import migrations_fingerprint
from tenancy.models import Tenant

log = structlog.get_logger(__name__)

USAGE_DAYS: Final = 30
# Beyond so many rows it is "more than": nobody on the phone needs the exact number.
MOST_COUNTED: Final = 10_000

STATUS_LABELS: Final = {
    Tenant.Status.ACTIVE: "success",
    Tenant.Status.SUSPENDED: "danger",
    Tenant.Status.PENDING_DELETION: "warning",
    Tenant.Status.PROVISIONING: "info",
    Tenant.Status.DELETED: "",
}
_BILLING_LABELS: Final = {
    "active": "success", "trialing": "info", "comped": "primary", "past_due": "danger", "unpaid": "danger",
    "paused": "warning", "canceled": "warning", "incomplete": "warning",
}  # fmt: skip
_ACCESS_LABELS: Final = {"full": "success", "read_only": "warning", "blocked": "danger"}
_MAIL_LABELS: Final = {
    "platform": "",
    "working": "success",
    "untested": "warning",
    "failing": "danger",
    "paused": "danger",
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One line: what it is about, what it is, and perhaps a coloured word about it."""

    label: str
    value: object = ""
    badge: str = ""
    variant: str = ""


@dataclass(slots=True)
class Inside:
    """What was read in the tenant's own schema; ``error`` says why it could not be."""

    people: Mapping[str, int] = field(default_factory=dict)
    server: SmtpServer | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    error: str = ""

    @property
    def seats_used(self) -> int:
        return sum(self.people.get(status, 0) for status in HOLDING)


@dataclass(slots=True)
class Overview:
    """A page, card by card."""

    tenant: Tenant
    state: list[Fact]
    usage: list[Fact]
    billing: list[Fact]
    health: list[Fact]
    errors: Sequence[Mapping[str, Any]]
    changes: Sequence[BillingChange]
    sessions: Sequence[StaffSession]
    acts: Sequence[StaffAct]
    is_readable: bool


def seats_text(used: int | None, limit: int | None) -> str:
    """``12 of 20``; ``12`` where there is no limit; a dash while nobody has counted."""
    if used is None:
        return "–"
    return f"{used} of {limit}" if limit is not None else str(used)


def account_in(tenant: Tenant, now: datetime) -> BillingAccount:
    """The account of a tenant that was read together with it; where there is none, what would be in it. No query."""
    found: BillingAccount | None = getattr(tenant, "billing", None)
    return found or first_account(tenant, now)


def overview(tenant: Tenant) -> Overview:
    """The tenant must have been read with its ``billing``."""
    now = timezone.now()
    account = account_in(tenant, now)
    # ``access_write`` and others reach the tenant over it; this spares asking for it again.
    account.tenant = tenant
    is_readable = tenant.status in READABLE
    inside = _inside(tenant) if is_readable else Inside(error=f"the tenant is {tenant.get_status_display().lower()}")
    figures = TenantFigures.objects.filter(tenant_id=tenant.id).first()
    return Overview(
        tenant=tenant,
        state=_state(tenant, account, inside),
        usage=_usage(tenant, inside, figures, now),
        billing=_billing(account, now),
        health=_health(tenant, inside, now),
        errors=_errors(tenant),
        changes=list(BillingChange.objects.filter(account_id=tenant.id).order_by("-created_at")[:5]),
        sessions=list(
            StaffSession.objects.select_related("staff")
            .filter(tenant_id=tenant.id, closed_at=None, ends_at__gt=now)
            .order_by("-opened_at")[:10]
        ),
        acts=list(StaffAct.objects.filter(tenant_id=tenant.id).exclude(action="").order_by("-id")[:10]),
        is_readable=is_readable,
    )


def _inside(tenant: Tenant) -> Inside:
    try:
        with bind(tenant.ref), transaction.atomic():
            counts = User.objects.values_list("status").annotate(Count("id")).order_by()
            return Inside(people=dict(counts), server=server_row(), sizes=_sizes())
    except DatabaseError as error:
        log.warning("tenancy.not_readable", tenant=str(tenant.id), error=type(error).__name__)
        return Inside(error=type(error).__name__)


def _sizes() -> dict[str, int]:
    """About how many rows the large tables have, as PostgreSQL keeps count itself: nothing is read."""
    names = ["chat_message", "events_event", "notifications_notification"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, pg_stat_get_live_tuples(to_regclass(name)) FROM unnest(%s::text[]) AS name", [names]
        )
        return {name: rows or 0 for name, rows in cursor.fetchall()}


def _state(tenant: Tenant, account: BillingAccount, inside: Inside) -> list[Fact]:
    limit = allowance_of(account).limit
    used = None if inside.error else inside.seats_used
    full = used is not None and limit is not None and used > limit
    return [
        Fact("Name", tenant.name),
        Fact(
            "State", tenant.suspended_reason, tenant.get_status_display(), STATUS_LABELS[Tenant.Status(tenant.status)]
        ),
        Fact("Plan", tenant.plan),
        Fact("Seats", seats_text(used, limit), *(("over", "warning") if full else ())),
        Fact("Time zone", tenant.timezone),
        Fact("Language", tenant.locale),
        Fact("Since", f"{tenant.created_at:%Y-%m-%d}"),
        Fact("Id", tenant.id),
        Fact("Schema name", tenant.schema_name),
    ]


def _usage(tenant: Tenant, inside: Inside, figures: TenantFigures | None, now: datetime) -> list[Fact]:
    days = TenantDay.objects.filter(tenant_id=tenant.id, day__gt=now.date() - timedelta(days=USAGE_DAYS))
    sums = days.aggregate(sent=Sum("mails_sent"), bounced=Sum("mails_bounced"), dead=Sum("mails_dead"))
    sent, bounced, dead = (sums[name] or 0 for name in ("sent", "bounced", "dead"))
    counted = moment_text(figures.counted_at) if figures else "never"
    return [
        Fact("People", ", ".join(f"{count} {status}" for status, count in sorted(inside.people.items())) or "–"),
        Fact("Messages, about", f"{inside.sizes.get('chat_message', 0):,}"),
        Fact("Events, about", f"{inside.sizes.get('events_event', 0):,}"),
        Fact("Notifications, about", f"{inside.sizes.get('notifications_notification', 0):,}"),
        Fact(f"Mails of {USAGE_DAYS} days", f"{sent:,} sent"),
        Fact("Bounced", f"{bounced:,}", *(("high", "warning") if sent >= 100 and bounced > sent * 0.05 else ())),
        Fact("Given up", f"{dead:,}", *(("look", "warning") if dead else ())),
        Fact("Mail counted", counted),
    ]


def _billing(account: BillingAccount, now: datetime) -> list[Fact]:
    status, access = status_of(account, now), access_of(account)
    level = access.level(now)
    card = f"{account.card_brand} …{account.card_last4}" if account.card_last4 else ""
    facts = [
        Fact("Status", "", status.label, _BILLING_LABELS.get(status, "")),
        Fact("Access", "", level.replace("_", " "), _ACCESS_LABELS[level]),
        Fact("Plan", " ".join(filter(None, [account.plan_id, account.interval]))),
        Fact("Trial ends", moment_text(account.stripe_trial_ends_at or account.trial_ends_at)),
        Fact("Period ends", moment_text(account.period_end)),
        Fact("Cancels", moment_text(account.cancel_at)),
        Fact("Unpaid since", moment_text(account.past_due_since)),
        Fact("Next attempt", moment_text(account.next_attempt_at)),
        Fact(
            "Grace by staff until",
            moment_text(account.grace_until if account.grace_until and account.grace_until > now else None),
        ),
        Fact("Free of charge", ("until " + moment_text(account.comped_until)) if account.comped_until else "yes")
        if account.is_comped
        else Fact(""),
        Fact("Read only from", moment_text(access.read_only_from)),
        Fact("Blocked from", moment_text(access.blocked_from)),
        Fact("Card", card),
        Fact("Stripe customer", account.customer_id or ""),
    ]
    return [fact for fact in facts if fact.value or fact.badge]


def _health(tenant: Tenant, inside: Inside, now: datetime) -> list[Fact]:
    is_current = tenant.schema_fingerprint == migrations_fingerprint()
    facts = [Fact("Schema", "", "current", "success") if is_current else Fact("Schema", "", "behind", "danger")]
    if inside.error:
        facts.append(Fact("Looking inside", f"not possible: {inside.error}", "failed", "danger"))
    waiting = _waiting(tenant)
    dead = waiting.get(OutboxRow.State.DEAD, 0)
    facts += [
        Fact("Dead letters", _many(dead), *(("failing", "danger") if dead else ("none", "success"))),
        Fact("Work waiting", _many(waiting.get(OutboxRow.State.PENDING, 0))),
        Fact("Work parked", _many(waiting.get(OutboxRow.State.PARKED, 0))),
    ]
    if not inside.error:
        state = mail_server_state(inside.server, now)
        facts.append(Fact("Mail server", _server_text(inside.server), state.label, _MAIL_LABELS[state]))
    return facts


def _waiting(tenant: Tenant) -> dict[str, int]:
    """The tenant's outbox by state, of so many rows at most."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, count(*) FROM"
            " (SELECT state FROM outbox_outboxrow WHERE tenant_id = %s LIMIT %s) AS counted GROUP BY state",
            [tenant.id, MOST_COUNTED],
        )
        return dict(cursor.fetchall())


def _many(count: int) -> str:
    return f"{count:,} or more" if count >= MOST_COUNTED else f"{count:,}"


def _server_text(server: SmtpServer | None) -> str:
    if server is None:
        return "has none of its own"
    test = server.last_test or {}
    tested = f", test failed at {test['stage']}: {test['code']}" if test and not test.get("ok") else ""
    failures = f", {server.failures} failures in a row" if server.failures else ""
    return f"{server.host}:{server.port}{failures}{tested}"


def _errors(tenant: Tenant) -> list[dict[str, Any]]:
    """The newest of what went wrong: work that failed, and events of Stripe that could not be taken in."""
    rows = OutboxRow.objects.filter(tenant_id=tenant.id).exclude(last_error="").order_by("-created_at")[:5]
    events = StripeEvent.objects.filter(tenant_id=tenant.id, status=StripeEvent.Status.FAILED).order_by("-received_at")
    found = [
        {
            "at": row.created_at,
            "what": row.reaction,
            "error": row.last_error,
            "state": f"{row.state}, attempt {row.attempts}",
        }
        for row in rows
    ]
    found += [
        {"at": event.received_at, "what": f"Stripe: {event.type}", "error": event.last_error, "state": event.status}
        for event in events[:3]
    ]
    return sorted(found, key=lambda one: one["at"], reverse=True)
