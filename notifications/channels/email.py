"""Notifications by e-mail, through the platform's own mailer."""

from typing import ClassVar

from accounts.links import page_url
from notifications.channels.base import Channel
from notifications.models import Delivery
from platform_site.mail import send_platform_mail
from platform_site.notification_events import EMAIL


class EmailChannel(Channel):
    key: ClassVar[str] = EMAIL

    def send(self, delivery: Delivery) -> None:
        told = delivery.notification
        send_platform_mail(
            to=told.user.email,
            template="notifications/mail/notification",
            values={
                "name": told.user.display_name,
                "title": told.title,
                "text": told.body,
                "url": page_url(told.action_url) if told.action_url else "",
            },
            cause=delivery.id,
        )
