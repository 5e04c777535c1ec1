"""Whether the company's mail can go, and what stands against it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db.models import Count, Q

from notifications.email_settings.deliverability import NOT_SET, PENDING, Deliverability, state_of
from notifications.email_settings.domain_records import FAIL
from notifications.email_settings.read import EmailSettings, all_chosen, email_settings
from notifications.email_settings.smtp_server import server_row
from notifications.models import Delivery, DomainCheck, SmtpServer
from notifications.services.suppressing import suppressions
from platform_site.ids import uuid7_floor
from platform_site.notification_events import EMAIL
from platform_site.outbox.clock import working_now

# Of fewer mails a rate says nothing.
ENOUGH: Final = 100
HIGH_BOUNCES: Final = 0.05
HIGH_COMPLAINTS: Final = 0.003
BLOCKING: Final = ("smtp_paused", "physical_address_missing")
WARNINGS: Final = (
    "smtp_not_verified",
    "smtp_failing",
    "smtp_fallback",
    "domain_not_checked",
    "spf_failed",
    "dkim_failed",
    "dmarc_failed",
    "free_mail_sender",
    "bounce_rate_high",
    "complaint_rate_high",
)


@dataclass(frozen=True, slots=True)
class Status:
    ready: bool
    mode: str
    sections: Mapping[str, Any]
    blocking: list[str]
    warnings: list[str]
    suppressed: int
    last24h: Mapping[str, Any]


def email_status() -> Status:
    """Five queries, whatever there is. Nothing in it is secret."""
    chosen = all_chosen()
    server, check = server_row(), DomainCheck.objects.filter(id=1).first()
    settings, domain = email_settings(chosen), state_of(chosen, server, check)
    day = _last_day()
    in_use = server is not None and server.enabled and server.verified_at is not None
    paused = bool(in_use and server and server.paused_until and server.paused_until > working_now())
    missing = _missing(settings)
    blocking = []
    if paused and server and not server.fallback_to_platform:
        blocking.append("smtp_paused")
    if "canSpam.physicalAddress" in missing:
        blocking.append("physical_address_missing")
    return Status(
        ready=not blocking,
        mode="tenant_smtp" if in_use and not (paused and server and server.fallback_to_platform) else "platform",
        sections=_sections(settings, server, domain, missing, paused=paused),
        blocking=blocking,
        warnings=_warnings(server, domain, day, paused=paused),
        suppressed=suppressions().count(),
        last24h=day,
    )


def _missing(settings: EmailSettings) -> list[str]:
    compliance = settings.compliance
    missing = []
    if compliance.can_spam and not compliance.physical_address:
        missing.append("canSpam.physicalAddress")
    if compliance.gdpr and not compliance.privacy_policy_url:
        missing.append("gdpr.privacyPolicyUrl")
    return missing


def _sections(
    settings: EmailSettings, server: SmtpServer | None, domain: Deliverability, missing: list[str], *, paused: bool
) -> dict[str, Any]:
    last = server.last_test if server else None
    checks = domain.result.get("checks", {})
    return {
        "smtp": {
            "configured": server is not None,
            "enabled": server is not None and server.enabled,
            "verified": server is not None and server.verified_at is not None,
            "last_test_ok": last["ok"] if last else None,
            "paused": paused,
        },
        "sender": {
            "from_name_set": bool(settings.sender.from_name),
            "reply_to_set": bool(settings.sender.reply_to),
        },
        "tracking": {
            "open_tracking": settings.tracking.open_tracking,
            "click_tracking": settings.tracking.click_tracking,
        },
        "compliance": {"complete": not missing, "missing": missing},
        "footer": {"enabled": settings.footer.enabled},
        "deliverability": {
            "status": domain.status,
            **{name: checks[name]["status"] if name in checks else None for name in ("spf", "dkim", "dmarc")},
        },
    }


def _warnings(server: SmtpServer | None, domain: Deliverability, day: Mapping[str, Any], *, paused: bool) -> list[str]:
    checks = domain.result.get("checks", {})
    facts = {
        "smtp_not_verified": server is not None and server.enabled and server.verified_at is None,
        "smtp_failing": server is not None and server.enabled and server.failures > 0,
        "smtp_fallback": paused and server is not None and server.fallback_to_platform,
        "domain_not_checked": domain.status in (NOT_SET, PENDING),
        **{f"{name}_failed": checks.get(name, {}).get("status") == FAIL for name in ("spf", "dkim", "dmarc")},
        "free_mail_sender": bool(checks.get("free_mail_from")),
        "bounce_rate_high": day["sent"] >= ENOUGH and (day["bounce_rate"] or 0) >= HIGH_BOUNCES,
        "complaint_rate_high": day["sent"] >= ENOUGH and (day["complaint_rate"] or 0) >= HIGH_COMPLAINTS,
    }
    return [name for name in WARNINGS if facts[name]]


def _last_day() -> dict[str, Any]:
    """Of the mails of the last day; their ids sort by time, so the primary key finds them."""
    since = uuid7_floor(working_now() - timedelta(days=1))
    counts = Delivery.objects.filter(id__gte=since, channel=EMAIL).aggregate(
        sent=Count("id", filter=Q(sent_at__isnull=False)),
        bounced=Count("id", filter=Q(bounced_at__isnull=False)),
        complained=Count("id", filter=Q(complained_at__isnull=False)),
    )
    sent = counts["sent"]
    return {
        **counts,
        "bounce_rate": round(counts["bounced"] / sent, 4) if sent else None,
        "complaint_rate": round(counts["complained"] / sent, 4) if sent else None,
    }
