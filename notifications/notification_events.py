"""Events that modules of the product raise from outside."""

from collections.abc import Iterable, Mapping
from typing import Any

from accounts.models import User
from accounts.roles import Role
from notifications import catalog
from platform_site.journal.models import JournalEntry
from platform_site.notification_events import EMAIL, IN_APP, NotificationEvent, Trigger, notification_event


def _administrators_once(entry: JournalEntry) -> Iterable[int]:
    """Of pauses that follow each other only the first is news."""
    if entry.data.get("again"):
        return []
    return User.objects.filter(role=Role.TENANT_ADMIN, status=User.Status.ACTIVE).values_list("id", flat=True)


def _host(entry: JournalEntry) -> Mapping[str, Any]:
    return {"host": entry.data["host"]}


def _administrators(entry: JournalEntry) -> Iterable[int]:
    return User.objects.filter(role=Role.TENANT_ADMIN, status=User.Status.ACTIVE).values_list("id", flat=True)


def _template(entry: JournalEntry) -> Mapping[str, Any]:
    return {"templateId": entry.data["templateId"], "problem": entry.data["problem"]}


# A module of the product above the platform raises it; it shows how.
LEAD_ASSIGNED = notification_event(
    NotificationEvent(
        key="sales.lead_assigned",
        label="A lead was assigned to you",
        description="When somebody gives you a sales lead.",
        title="New lead: {{ leadName }}",
        body="{{ assignedBy }} assigned {{ leadName }} to you.",
        sample={"leadName": "Northwind", "assignedBy": "Jane Doe", "leadId": 42},
        channels={IN_APP: True, EMAIL: True},
        category="transactional",
        action_path="/sales/leads/{{ leadId }}",
    )
)
SMTP_DEGRADED = notification_event(
    NotificationEvent(
        key="email.smtp_degraded",
        label="Your mail server does not work",
        description="When the company's own mail server failed too often and is left alone for a while.",
        title="Your mail server {{ host }} does not work",
        body="Mail waits until it works again, unless you chose that the platform sends it meanwhile.",
        sample={"host": "smtp.acme.example"},
        channels={IN_APP: True, EMAIL: True},
        # Mail about security goes by the platform's server; by the broken one nobody would hear of it.
        category="security",
        severity="high",
        action_path="/settings/email",
        trigger=Trigger(catalog.SMTP_PAUSED, _administrators_once, _host),
    )
)
TEMPLATE_FALLBACK = notification_event(
    NotificationEvent(
        key="email.template_fallback",
        label="A text of your company's own does not work",
        description="When a text that your company wrote could not be filled, and the default went out instead.",
        title="Your own text {{ templateId }} does not work",
        body="The default went out instead, and does until you correct it. {{ problem }}",
        sample={"templateId": "sales.lead_assigned:email", "problem": "Unexpected tag 'include'."},
        channels={IN_APP: True, EMAIL: True},
        category="transactional",
        trigger=Trigger(catalog.TEMPLATE_FELL_BACK, _administrators, _template),
    )
)
