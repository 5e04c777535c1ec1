"""Notifications by e-mail."""

from typing import ClassVar

from notifications.channels.base import Channel, Outcome
from notifications.mailing.letters import letter_of
from notifications.mailing.mailers import require_reachable
from notifications.mailing.sending import Subject, send
from notifications.mailing.way_back import way_out
from notifications.models import Delivery
from notifications.services.suppressing import is_suppressed
from platform_site.notification_events import EMAIL, notification_events


class EmailChannel(Channel):
    key: ClassVar[str] = EMAIL

    def refuses(self, delivery: Delivery) -> str:
        told = delivery.notification
        optional = EMAIL not in notification_events.get(told.event_key).mandatory
        return "suppression_list" if is_suppressed(told.user.email, optional=optional) else ""

    def send(self, delivery: Delivery) -> Outcome:
        told = delivery.notification
        event = notification_events.get(told.event_key)
        security = event.category == "security"
        require_reachable(security=security)
        out = way_out(told.user, event, delivery.id)
        letter = letter_of(told, out)
        about = Subject("d", delivery.id, "notification", event.key)
        posted = send(letter, to=told.user, out=out, about=about, security=security)
        return Outcome(
            mailer=posted.mailer,
            provider_message_id=posted.provider_message_id,
            template_version=letter.template_version,
            template_fallback=letter.fallback,
        )
