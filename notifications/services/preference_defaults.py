"""What a company wants of events: a default for who chose nothing, and what it insists on."""

from collections.abc import Mapping
from typing import Final

from django.db import transaction

from notifications import catalog, errors
from notifications.models import TenantPreference
from notifications.services.preferences import events_named
from notifications.wishes import EVERYTHING
from platform_site.errors import invalid_field
from platform_site.journal.services import record

FIELDS: Final = ("default_enabled", "enforced")
_WIRE: Final = {"default_enabled": "defaultEnabled", "enforced": "enforced"}


@transaction.atomic
def default_set(*, event_key: str, channel: str, changes: Mapping[str, bool | None]) -> None:
    """Change what ``changes`` names of ``FIELDS``, of one event or of all; None says nothing any more.

    Raises ``unknown_event``, ``unknown_channel``, ``channel_not_supported``, or
    ``preference_locked`` when something mandatory is to be turned off. Under
    ``EVERYTHING`` it is not meant.
    """
    if event_key.endswith(f".{EVERYTHING}"):
        raise invalid_field("eventKey", errors.UNKNOWN_EVENT)
    events = events_named(event_key, channel)
    for name in FIELDS:
        if changes.get(name) is False and event_key != EVERYTHING and channel in events[0].mandatory:
            raise invalid_field(_WIRE[name], errors.PREFERENCE_LOCKED)
    named = {name: changes[name] for name in FIELDS if name in changes}
    if not named:
        return
    TenantPreference.objects.bulk_create(
        [TenantPreference(event_key=event_key, channel=channel, **named)],
        update_conflicts=True,
        unique_fields=["event_key", "channel"],
        # The others stay what they are, whoever changes them at the same time.
        update_fields=[*named, "updated_at"],
    )
    TenantPreference.objects.filter(event_key=event_key, channel=channel, default_enabled=None, enforced=None).delete()
    record(
        catalog.DEFAULTS_CHANGED,
        data={"eventKey": event_key, "channel": channel, **{_WIRE[name]: value for name, value in named.items()}},
    )
