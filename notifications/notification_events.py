"""Events that modules of the product raise from outside."""

from platform_site.notification_events import EMAIL, IN_APP, NotificationEvent, notification_event

# A module of the product above the platform raises it; it shows how.
LEAD_ASSIGNED = notification_event(
    NotificationEvent(
        key="sales.lead_assigned",
        label="A lead was assigned to you",
        description="When somebody gives you a sales lead.",
        title="New lead: {{ leadName }}",
        body="{{ assignedBy }} assigned {{ leadName }} to you.",
        sample={"leadName": "Acme Corp", "assignedBy": "Jane Doe", "leadId": 42},
        channels={IN_APP: True, EMAIL: True},
        category="transactional",
        action_path="/sales/leads/{{ leadId }}",
    )
)
