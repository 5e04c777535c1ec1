"""What the DNS said about the sender's domain when it was last asked, and asking it again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import transaction

from notifications.email_settings.change import section_set
from notifications.email_settings.domain_records import FAIL, PASS, UNKNOWN, WARN, examine
from notifications.email_settings.read import Chosen
from notifications.email_settings.sections import DELIVERABILITY, merged
from notifications.email_settings.smtp_server import server_row
from notifications.models import DomainCheck, EmailSection, SmtpServer
from platform_site.binding import require_tenant
from platform_site.outbox.clock import working_now
from platform_site.outbox.registry import job_kind
from platform_site.outbox.services import Job, enqueue_jobs, jobs_drop, jobs_move

CHECK_DOMAIN: Final = "notifications.check_domain"
PENDING: Final = "pending"
NOT_SET: Final = "not_set"
STATUSES: Final = (NOT_SET, PENDING, PASS, WARN, UNKNOWN, FAIL)
WHEN_FINE: Final = timedelta(hours=24)
FIRST_RETRY: Final = timedelta(minutes=15)
LONGEST_RETRY: Final = timedelta(hours=6)
# Nobody looks any more at what stays wrong for so long.
IDLE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Deliverability:
    """``values`` are the section's; ``result`` is empty until the domain was looked at."""

    values: Mapping[str, Any]
    domain: str
    status: str
    result: Mapping[str, Any]
    checked_at: datetime | None
    next_check_at: datetime | None


def deliverability_state() -> Deliverability:
    """Three queries, and no DNS."""
    chosen = EmailSection.objects.filter(key=DELIVERABILITY.key).values_list("key", "value")
    return state_of(dict(chosen), server_row(), DomainCheck.objects.filter(id=1).first())


def state_of(chosen: Chosen, server: SmtpServer | None, check: DomainCheck | None) -> Deliverability:
    """The same of what was read already."""
    values = merged(DELIVERABILITY.defaults, chosen.get(DELIVERABILITY.key, {}))
    domain = _domain(values, server)
    if not domain or check is None:
        # The sender's domain alone asks nobody; the first change of this section does.
        return Deliverability(values, domain, NOT_SET, {}, None, None)
    if check.domain != domain or check.checked_at is None:
        return Deliverability(values, domain, PENDING, {}, None, check.next_check_at)
    return Deliverability(values, domain, check.result["status"], check.result, check.checked_at, check.next_check_at)


def _domain(values: Mapping[str, Any], server: SmtpServer | None) -> str:
    """What was chosen, else that of the company's own sender."""
    return values["domain"] or (server.from_email.rpartition("@")[2].lower() if server else "")


@transaction.atomic
def deliverability_set(changes: Mapping[str, Any]) -> Deliverability:
    """Change the section and have the DNS asked anew, also when nothing changes."""
    values = section_set(DELIVERABILITY, changes)
    domain = _domain(values, server_row())
    subject = require_tenant().id
    if not domain:
        DomainCheck.objects.filter(id=1).delete()
        jobs_drop(kind=CHECK_DOMAIN, subject_ids=[subject])
        return deliverability_state()
    now = working_now()
    DomainCheck.objects.update_or_create(
        id=1, defaults={"domain": domain, "result": {}, "tries": 0, "checked_at": None, "next_check_at": now}
    )
    enqueue_jobs(kind=CHECK_DOMAIN, jobs=[Job(subject)])
    # One that waits until tomorrow waits no longer.
    jobs_move(kind=CHECK_DOMAIN, subject_ids=[subject], due_at=now)
    return deliverability_state()


@job_kind(CHECK_DOMAIN)
def check_domain(tenant_id: UUID) -> datetime | None:
    """Ask the DNS, in no transaction, and write down what it said. Gives when to ask again."""
    section = EmailSection.objects.filter(key=DELIVERABILITY.key).first()
    if section is None:
        return None
    values = merged(DELIVERABILITY.defaults, section.value)
    domain = _domain(values, server_row())
    if not domain:
        DomainCheck.objects.filter(id=1).delete()
        return None
    found = examine(
        domain,
        selectors=values["dkim_selectors"],
        provider=values["provider"],
        target=values["dmarc_policy_target"],
    )
    now: datetime = working_now()
    with transaction.atomic():
        current = EmailSection.objects.select_for_update().filter(key=DELIVERABILITY.key).first()
        if current is None or current.updated_at != section.updated_at:
            # Changed meanwhile: what was found is about something else.
            return now
        check, _ = DomainCheck.objects.get_or_create(id=1, defaults={"domain": domain})
        fine = found.status in (PASS, WARN)
        tries = 0 if fine else (check.tries + 1 if check.domain == domain else 1)
        again: datetime | None = _again(tries, section.updated_at, now)
        DomainCheck.objects.filter(id=1).update(
            domain=domain, result=found.as_json(), tries=tries, checked_at=now, next_check_at=again
        )
    return again


def _again(tries: int, asked_at: datetime, now: datetime) -> datetime | None:
    if tries == 0:
        return now + WHEN_FINE
    if now - asked_at > IDLE:
        return None
    return now + min(LONGEST_RETRY, FIRST_RETRY * (1 << min(tries - 1, 10)))
