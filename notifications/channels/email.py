"""Notifications by e-mail."""

from typing import ClassVar

from notifications.channels.base import Channel, Outcome
from notifications.mailing.letters import letter_of
from notifications.mailing.mailers import Envelope, post
from notifications.mailing.way_back import list_headers, provider_metadata, suppressed, tracked, way_out
from notifications.models import Delivery
from platform_site.notification_events import EMAIL, notification_events


class EmailChannel(Channel):
    key: ClassVar[str] = EMAIL

    def refuses(self, delivery: Delivery) -> str:
        told = delivery.notification
        event = notification_events.get(told.event_key)
        return "suppression_list" if suppressed(told.user.email, optional=EMAIL not in event.mandatory) else ""

    def send(self, delivery: Delivery) -> Outcome:
        told = delivery.notification
        event = notification_events.get(told.event_key)
        security = event.category == "security"
        out = way_out(told.user, event, delivery.id)
        letter = letter_of(told, out)
        letter = tracked(letter, user=told.user, kind="d", subject_id=delivery.id, security=security)
        posted = post(
            letter,
            Envelope(
                to=told.user.email,
                message_id=f"{delivery.id.hex}.notification",
                security=security,
                headers={"Feedback-ID": f"{event.key}:notifications", **list_headers(out)},
                metadata=provider_metadata("d", delivery.id),
            ),
        )
        return Outcome(
            mailer=posted.mailer,
            provider_message_id=posted.provider_message_id,
            template_version=letter.template_version,
            template_fallback=letter.fallback,
        )
