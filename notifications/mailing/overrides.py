"""A company's own texts in use: finding them, and what happens when one cannot be filled."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import NAMESPACE_URL, UUID, uuid5

from django.db import connection, transaction
from django.utils import timezone

from notifications import catalog
from notifications.mailing.sources import default_source
from notifications.models import TemplateOverride
from notifications.texts import TemplateError, render_text
from platform_site.journal.models import JournalEntry
from platform_site.journal.services import record
from platform_site.notification_events import IN_APP, NotificationEvent

LONGEST_SUBJECT: Final = 200
LONGEST_BODY: Final = 1000
_SUBJECT: Final = "notification_template"


def template_id(event_key: str, channel: str) -> str:
    return f"{event_key}:{channel}"


def template_uuid(name: str) -> UUID:
    """The same template's id for who needs a UUID."""
    return uuid5(NAMESPACE_URL, f"notification-template:{name}")


def active_override(event_key: str, channel: str) -> TemplateOverride | None:
    return TemplateOverride.objects.filter(event_key=event_key, channel=channel, active=True).first()


def in_app_texts(event: NotificationEvent, values: Mapping[str, Any]) -> tuple[str, str]:
    """Title and text of a notification in the app: the company's own, else the event's. One query."""
    written = active_override(event.key, IN_APP)
    if written is not None:
        try:
            title, body = in_app_rendered(event, values, subject=written.subject, body_text=written.body_text)
        except TemplateError as error:
            fell_back(written, error)
        else:
            return title, body
    return in_app_rendered(event, values)


def in_app_rendered(
    event: NotificationEvent, values: Mapping[str, Any], *, subject: str | None = None, body_text: str | None = None
) -> tuple[str, str]:
    """Raises ``TemplateError``, also for what leaves the title empty."""
    default = default_source(event, IN_APP)
    title = render_text(default.subject if subject is None else subject, values, longest=LONGEST_SUBJECT)
    if not title and subject is not None:
        raise TemplateError("The title is empty.")
    return title, render_text(default.body_text if body_text is None else body_text, values, longest=LONGEST_BODY)


@transaction.atomic
def fell_back(written: TemplateOverride, error: TemplateError) -> None:
    """Write down that the default went out instead; once a day for each template, however many mails there are."""
    name = template_id(written.event_key, written.channel)
    subject = (_SUBJECT, template_uuid(name))
    with connection.cursor() as cursor:
        # Two that find out at the same moment tell of it once.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || %s, 1))", [name])
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    told = JournalEntry.objects.filter(
        key=catalog.TEMPLATE_FELL_BACK.key, subject_type=_SUBJECT, subject_id=str(subject[1]), at__gte=today
    )
    if not told.exists():
        data = {"templateId": name, "version": written.version, "problem": str(error)[:300]}
        record(catalog.TEMPLATE_FELL_BACK, subject=subject, data=data)
