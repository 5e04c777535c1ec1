"""One reaction for each event that follows a fact: it tells the event's audience. And forgetting who was erased."""

from django.db.models import Q

from accounts.catalog import USER_ERASED
from notifications import counting  # noqa: F401 - its job has to be known to the dispatcher
from notifications.email_settings import deliverability  # noqa: F401 - its job too
from notifications.models import (
    Delivery,
    Digest,
    DigestSetting,
    DoNotDisturb,
    Notification,
    Preference,
    TrackingConsent,
)
from notifications.services import delivering, provider_events, retention, sending_digests  # noqa: F401 - theirs too
from notifications.services.outcomes import deliveries_suppressed
from notifications.services.suppressing import forget_addresses
from notifications.services.telling import notify
from platform_site.journal.models import JournalEntry
from platform_site.notification_events import NotificationEvent, Trigger, notification_events
from platform_site.outbox.registry import reaction


def _register(event: NotificationEvent, trigger: Trigger) -> None:
    @reaction(to=trigger.key, name=f"notifications.{event.key}")
    def tell(entry: JournalEntry) -> None:
        people = list(trigger.audience(entry))
        if people:
            notify(
                event=event,
                user_ids=people,
                values=trigger.values(entry),
                actor_id=entry.actor_id,
                dedup_key=f"{entry.id}:{event.key}",
            )


@reaction(to=USER_ERASED)
def forget_who_was_erased(entry: JournalEntry) -> None:
    """What the person was told and chose, and what others were told about the person's doings."""
    theirs = Notification.objects.filter(Q(user__uuid=entry.subject_id) | Q(actor_id=entry.subject_id))
    # The counts stay, and what is on its way would be missing in them.
    waiting = Delivery.objects.select_related("notification").filter(status="pending", notification__in=theirs)
    deliveries_suppressed(list(waiting), "user_erased")
    theirs.delete()
    for model in (Preference, DoNotDisturb, Digest, DigestSetting, TrackingConsent):
        model._default_manager.filter(user__uuid=entry.subject_id).delete()
    forget_addresses()


for _event in notification_events:
    if _event.trigger is not None:
        _register(_event, _event.trigger)
