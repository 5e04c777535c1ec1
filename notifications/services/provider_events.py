"""What a mail provider reports, written down once and only where it belongs.

The provider gives back the token that went out with the mail. The token names the
tenant, so a report can change nothing anywhere else. Providers repeat
themselves: what was heard before changes nothing.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from django.db import transaction
from django.utils import timezone

from notifications.email_settings.read import compliance_settings
from notifications.mailing.tokens import MailToken, Purpose, read_mail_token, tenant_of_mail_token
from notifications.models import Delivery, DeliveryEvent, Digest
from notifications.services.consent import tracked_ways
from notifications.services.engagement import (
    DIGEST_KIND,
    Fact,
    delivery_fact,
    digest_deliveries_fact,
    engaged,
)
from notifications.services.suppressing import ALL, Reason, soft_bounced, suppress
from notifications.services.unsubscribing import Reader, unsubscribe
from platform_site.binding import bind
from platform_site.outbox.registry import request_kind

log = structlog.get_logger(__name__)

PROVIDER_EVENT: Final = "notifications.provider_event"
# Deliveries are kept no longer.
OLDEST: Final = timedelta(days=90)
KNOWN: Final = frozenset(
    {"delivered", "opened", "clicked", "bounced", "complained", "unsubscribed", "rejected", "failed", "deferred"}
)
# Engagement is judged by these; the rest is about the mail's way.
_ENGAGEMENT: Final = frozenset({"opened", "clicked"})
_STATUS: Final = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
# The address may be fine: its server could not be reached.
_TRANSIENT_STATUS: Final = ("5", "4", "4")


@dataclass(frozen=True, slots=True)
class Report:
    """One event in the provider's own words. ``soft`` is what it says of a bounce; None when it says nothing."""

    ref: str
    kind: str
    event_id: str
    at: datetime
    recipient: str = ""
    reason: str = ""
    status: str = ""
    soft: bool | None = None
    machine: bool = False

    @property
    def is_hard(self) -> bool:
        """Whether there is no such address, so far as anybody can tell."""
        match = _STATUS.fullmatch(self.status)
        if match is not None and (match[1] == "4" or match.groups() == _TRANSIENT_STATUS):
            return False
        if self.soft is not None:
            return not self.soft
        if match is not None and match[1] == "5" and match[2] == "1":
            # About the address itself.
            return True
        return self.reason in ("invalid", "bounced")


def smtp_status(text: str | None) -> str:
    """The enhanced status code in what a mail server said; the words themselves hold addresses."""
    match = _STATUS.search(text or "")
    return match[0] if match else ""


@request_kind(PROVIDER_EVENT)
def provider_event(_: UUID, asked: dict[str, Any]) -> None:
    """Take in one report."""
    report = Report(**{**asked, "at": datetime.fromisoformat(asked["at"])})
    token = read_mail_token(report.ref, Purpose.REPORT)
    tenant = tenant_of_mail_token(token) if token else None
    if token is None or tenant is None:
        log.warning("provider_event.no_tenant", kind=report.kind)
        return
    now = timezone.now()
    if report.at < now - OLDEST:
        log.warning("provider_event.too_old", kind=report.kind, tenant=str(tenant.id))
        return
    with bind(tenant), transaction.atomic():
        _take_in(token, report, min(report.at, now))


def _take_in(token: MailToken, report: Report, at: datetime) -> None:
    digest, deliveries = _subject(token)
    if not deliveries:
        log.warning("provider_event.no_delivery", kind=report.kind, tenant=str(token.tenant_id))
        return
    user_id = deliveries[0].notification.user_id
    if report.kind in _ENGAGEMENT:
        ways = tracked_ways(user_id)
        if not (ways.clicks if report.kind == "clicked" else ways.opens):
            return
    if not _first_heard(deliveries, report, at):
        return
    if report.kind in _ENGAGEMENT:
        engaged(
            kind=token.scope,
            subject_id=token.subject_id,
            clicked=report.kind == "clicked",
            machine=report.machine,
            at=at,
        )
        return
    fact = _fact(report)
    if fact is not None and digest is not None:
        digest_deliveries_fact(digest, deliveries, fact, at)
    elif fact is not None:
        delivery_fact(deliveries[0], fact, at)
    _consequences(digest, deliveries[0], report, at)


def _subject(token: MailToken) -> tuple[Digest | None, list[Delivery]]:
    """A digest with all that it brought, or one delivery. Locked, so that reports wait for one another."""
    rows = Delivery.objects.select_for_update(of=("self",)).select_related("notification__user")
    if token.scope != DIGEST_KIND:
        return None, list(rows.filter(id=token.subject_id))
    digest = Digest.objects.select_for_update().filter(id=token.subject_id).first()
    return digest, list(rows.filter(digest=digest, status=Delivery.Status.SENT).order_by("id")) if digest else []


def _first_heard(deliveries: list[Delivery], report: Report, at: datetime) -> bool:
    """Write it down. Gives whether it was not written there before. Of a digest the first delivery stands for all."""
    detail = {name: value for name, value in (("reason", report.reason), ("status", report.status)) if value}
    _, new = DeliveryEvent.objects.get_or_create(
        delivery=deliveries[0],
        kind=report.kind,
        event_id=report.event_id,
        defaults={"at": at, "detail": detail},
    )
    return new


def _fact(report: Report) -> Fact | None:
    match report.kind:
        case "delivered" | "complained":
            return report.kind
        case "bounced" | "rejected" | "failed":
            return "bounced"
    # What is deferred is decided later; who unsubscribes is counted with the doing.
    return None


def _consequences(digest: Digest | None, delivery: Delivery, report: Report, at: datetime) -> None:
    """What the report means for mails to come. It is the address that mail went to that counts, not the present one."""
    user = delivery.notification.user
    address = report.recipient or user.email
    detail = " ".join(filter(None, (report.kind, report.reason, report.status)))
    if report.kind == "complained" or report.reason == "spam":
        if compliance_settings().suppress_on_complaint:
            suppress(address, Reason.COMPLAINT, ALL, detail)
    elif report.kind == "unsubscribed":
        event_key = "" if digest else delivery.notification.event_key
        scope = "digest" if digest and digest.kind == Digest.Kind.SCHEDULED else "all" if digest else "event"
        unsubscribe(Reader(user, scope, event_key, None if digest else delivery.id))  # type: ignore[arg-type]
    elif report.kind == "bounced" or (report.kind == "rejected" and report.reason in ("invalid", "bounced")):
        if report.is_hard:
            suppress(address, Reason.HARD_BOUNCE, ALL, detail)
        else:
            soft_bounced(address, at)
