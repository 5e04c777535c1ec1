"""Changing a section of the e-mail settings."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from notifications import catalog
from notifications.email_settings.sections import Section, changed, merged
from notifications.models import EmailSection
from platform_site.journal.services import record
from platform_site.names import camel


@transaction.atomic
def section_set(section: Section, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Change what ``changes`` names; None goes back to the default. Gives all values of the section.

    Raises ``validation_failed`` when the whole is not right any more.
    """
    EmailSection.objects.bulk_create([EmailSection(key=section.key)], ignore_conflicts=True)
    row = EmailSection.objects.select_for_update().get(key=section.key)
    chosen = changed(section.defaults, row.value, changes)
    checked = section.check(merged(section.defaults, chosen))
    row.value = _only_chosen(chosen, checked)
    row.save()
    record(
        catalog.EMAIL_SETTINGS_CHANGED,
        subject=("email_settings", section.key),
        data={"section": section.key, "changed": sorted(camel(name) for name in changes)},
    )
    return merged(section.defaults, row.value)


def _only_chosen(chosen: Mapping[str, Any], checked: Mapping[str, Any]) -> dict[str, Any]:
    """The values as ``checked`` has them, but only those that were chosen."""
    return {
        name: _only_chosen(value, checked[name]) if isinstance(checked[name], Mapping) else checked[name]
        for name, value in chosen.items()
    }
