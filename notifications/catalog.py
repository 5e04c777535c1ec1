"""What notifications add to the platform's catalogues. Numbers 30 to 39 of the permissions are theirs."""

from platform_site.journal.keys import journal_key
from platform_site.permissions import permission

NOTIFICATIONS_SEND = permission("notifications.send", 30, "Raise notifications", min_role="manager")

NOTIFICATION_RAISED = journal_key(
    "notifications.raised", "A service of the tenant's own raised a notification", audited=False
)
PREFERENCE_CHANGED = journal_key(
    "notifications.preference_changed", "Somebody changed how to be notified", audited=False
)
