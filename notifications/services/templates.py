"""A company's own texts: writing them, looking at them first, and going back to the default."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from accounts.models import User
from notifications import catalog, errors
from notifications.mailing.drafting import Own, Words, words
from notifications.mailing.framing import WayOut, frame
from notifications.mailing.letters import common_values, framed
from notifications.mailing.overrides import active_override, in_app_rendered, template_id, template_uuid
from notifications.mailing.sources import Source, base_version, default_source, sample_of
from notifications.mailing.template_problems import in_field, problems, unknown_names
from notifications.models import TemplateOverride
from notifications.texts import TemplateError, template_of
from platform_site.errors import NOT_FOUND, VALIDATION_FAILED, FieldError, PlatformError
from platform_site.journal.services import record
from platform_site.notification_events import EMAIL, NotificationEvent, notification_events

WIRE: Final = {"subject": "subject", "body_html": "bodyHtml", "body_text": "bodyText"}
# Gmail cuts longer mails off.
CLIPPED_AT: Final = 102 * 1024
_ADDRESS: Final = re.compile(r"(?i)(?:\bhttps?:)?//[^\s\"'<>]+|\bwww\.[^\s\"'<>]+")


@dataclass(frozen=True, slots=True)
class Template:
    """One event's text on one channel, and the company's own one in its place."""

    event: NotificationEvent
    channel: str
    written: TemplateOverride | None = None

    @property
    def id(self) -> str:
        return template_id(self.event.key, self.channel)

    @property
    def default(self) -> Source:
        return default_source(self.event, self.channel)

    @property
    def own(self) -> Own:
        row = self.written
        return Own(row.subject, row.body_html, row.body_text) if row else Own()

    @property
    def base_outdated(self) -> bool:
        return self.written is not None and self.written.base_version != base_version(self.default)


@dataclass(frozen=True, slots=True)
class Preview:
    subject: str
    html: str
    text: str
    # "draft", "default", or the number of the stored one.
    used_version: str
    missing_variables: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def size_bytes(self) -> int:
        return len(self.html.encode()) + len(self.text.encode())


def templates() -> list[Template]:
    """All of them, in one query."""
    rows = {(row.event_key, row.channel): row for row in TemplateOverride.objects.filter(active=True)}
    return [Template(event, one, rows.get((event.key, one))) for event in notification_events for one in event.channels]


def template_find(name: str) -> Template:
    """By ``eventKey:channel`` or its UUID; raises ``not_found``."""
    for event in notification_events:
        for channel in event.channels:
            here = template_id(event.key, channel)
            if name in (here, str(template_uuid(here))):
                return Template(event, channel, active_override(event.key, channel))
    raise PlatformError(NOT_FOUND)


@transaction.atomic
def template_customize(*, name: str, changes: Mapping[str, str | None], version: int | None, by: UUID) -> Template:
    """A new version with ``changes`` over the one before; None goes back to the default's.

    Raises ``not_found``, ``validation_failed``, ``template_invalid`` with everything
    that is wrong, or ``template_version_conflict`` when ``version`` is not the current one.
    """
    template = template_find(name)
    if not changes:
        raise PlatformError(VALIDATION_FAILED, details=[FieldError("subject", "required", "Name at least one text.")])
    with connection.cursor() as cursor:
        # Without a row there is nothing else to lock.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || %s, 0))", [template.id])
    template = template_find(name)
    current = template.written.version if template.written else 0
    if version is not None and version != current:
        raise PlatformError(errors.TEMPLATE_VERSION_CONFLICT, context={"version": current})
    own = replace(template.own, **changes)
    _check(template, own)
    rows = TemplateOverride.objects.filter(event_key=template.event.key, channel=template.channel)
    rows.filter(active=True).update(active=False)
    last = rows.order_by("-version").values_list("version", flat=True).first() or 0
    written = TemplateOverride.objects.create(
        event_key=template.event.key,
        channel=template.channel,
        version=last + 1,
        subject=own.subject,
        body_html=own.body_html,
        body_text=own.body_text,
        base_version=base_version(template.default),
        created_by=by,
    )
    record(
        catalog.TEMPLATE_CUSTOMIZED,
        subject=("notification_template", template_uuid(template.id)),
        data={"templateId": template.id, "version": written.version, "fields": [WIRE[name] for name in changes]},
    )
    return replace(template, written=written)


@transaction.atomic
def template_reset(*, name: str) -> tuple[Template, bool]:
    """Back to the default; old versions are kept. Gives whether there was anything to take back."""
    template = template_find(name)
    rows = TemplateOverride.objects.filter(event_key=template.event.key, channel=template.channel, active=True)
    was = bool(rows.update(active=False))
    if was:
        record(
            catalog.TEMPLATE_RESET,
            subject=("notification_template", template_uuid(template.id)),
            data={"templateId": template.id},
        )
    return replace(template, written=None), was


def template_preview(*, name: str, changes: Mapping[str, str | None], data: Mapping[str, Any], reader: User) -> Preview:
    """As it would be sent, filled with sample values and ``data`` over them. Raises ``template_invalid``."""
    template = template_find(name)
    if template.written is not None and not changes:
        try:
            return _preview(template, template.own, str(template.written.version), data, reader)
        except PlatformError:
            # So it goes when it is sent.
            shown = _preview(template, Own(), "default", data, reader)
            return replace(shown, warnings=(*shown.warnings, "The stored text cannot be filled; the default is used."))
    return _preview(template, replace(template.own, **changes), "draft" if changes else "default", data, reader)


def _preview(template: Template, own: Own, used: str, data: Mapping[str, Any], reader: User) -> Preview:
    sample = sample_of(template.event, template.channel)
    missing: list[str] = []
    for field, source in _sources(own):
        try:
            missing += [found for found, _ in unknown_names(template_of(source, html=field == "body_html"), sample)]
        except TemplateError as error:
            raise _invalid([in_field(WIRE[field], "template_syntax", error)]) from None
    try:
        subject, html, text = _rendered(template, own, {**sample, **data}, reader)
    except TemplateError as error:
        raise _invalid([in_field("bodyHtml", "template_render", error)]) from None
    warnings = [f"There is no variable {name}." for name in dict.fromkeys(missing)]
    if len(html.encode()) > CLIPPED_AT:
        warnings.append("Mails of this length are cut off by some mail programs.")
    if template.base_outdated:
        warnings.append("The default has changed since this text was written.")
    return Preview(subject, html, text, used, tuple(dict.fromkeys(missing)), tuple(warnings))


def _rendered(template: Template, own: Own, values: Mapping[str, Any], reader: User) -> tuple[str, str, str]:
    if template.channel != EMAIL:
        title, body = in_app_rendered(template.event, values, subject=own.subject, body_text=own.body_text)
        return title, "", body
    around = frame(WayOut(), own_footer=template.event.category != "security")
    known = {**common_values(reader, around.company, ""), "actionUrl": values.get("actionUrl", "")}
    said: Words = words(own, template.default, {**values, **known})
    return said.subject, *framed(said, around)


def _sources(own: Own) -> list[tuple[str, str]]:
    return [(field, source) for field in WIRE if (source := getattr(own, field)) is not None]


def _check(template: Template, own: Own) -> None:
    sample = sample_of(template.event, template.channel)
    found: list[FieldError] = []
    for field, source in _sources(own):
        if field == "body_html" and template.channel != EMAIL:
            found.append(FieldError(WIRE[field], "not_supported", "Texts in the app have no HTML."))
            continue
        found += problems(WIRE[field], source, sample, html=field == "body_html")
        if field == "subject" and not source.strip():
            found.append(FieldError("subject", "blank", "This may not be blank."))
        if template.event.category == "security":
            found += _foreign_links(WIRE[field], source)
    if not found:
        try:
            if template.channel == EMAIL:
                words(own, template.default, sample)
            else:
                in_app_rendered(template.event, sample, subject=own.subject, body_text=own.body_text)
        except TemplateError as error:
            found.append(FieldError("subject", "template_render", str(error)))
    if found:
        raise _invalid(found)


def _foreign_links(field: str, source: str) -> list[FieldError]:
    """Mail about security leads nowhere else: it is what fraud looks like."""
    ours = {urlsplit(address).hostname for address in (settings.PUBLIC_URL, settings.FRONTEND_URL) if address}
    found = []
    for address in _ADDRESS.findall(source):
        try:
            host = urlsplit(address).hostname
        except ValueError:
            host = None
        if host not in ours:
            found.append(FieldError(field, "foreign_link", "Texts about security may only lead to the product itself."))
    if re.search(r"(?i)href\s*=\s*[\"']?\s*\{\{(?!-?\s*actionUrl\s*-?\}\})", source):
        found.append(FieldError(field, "foreign_link", "Here only actionUrl may stand in a link."))
    return found[:1]


def _invalid(found: list[FieldError]) -> PlatformError:
    return PlatformError(errors.TEMPLATE_INVALID, details=found)
