"""What the set-up hub wants people to be told."""

from collections.abc import Iterable

from accounts.models import User
from accounts.roles import Role
from platform_site.journal.models import JournalEntry
from platform_site.notification_events import EMAIL, IN_APP, NotificationEvent, Trigger, notification_event
from setup_hub.catalog import SETUP_COMPLETED


def _other_administrators(entry: JournalEntry) -> Iterable[int]:
    """Not whoever did it: that person knows."""
    active = User.objects.filter(role=Role.TENANT_ADMIN, status=User.Status.ACTIVE)
    others = active.exclude(uuid=entry.actor_id) if entry.actor_id else active
    return others.values_list("id", flat=True)


COMPLETED = notification_event(
    NotificationEvent(
        key="setup_hub.completed",
        label="The workspace is set up",
        description="When another administrator completed the set-up of the workspace.",
        title="Your workspace is set up",
        body="All that has to be set up is. What is left is optional.",
        sample={},
        channels={IN_APP: True, EMAIL: False},
        category="activity",
        action_path="/setup",
        trigger=Trigger(SETUP_COMPLETED, _other_administrators),
    )
)
