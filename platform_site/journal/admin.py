"""The journal of one tenant, as staff see it in the lens: all keys, not the audited ones alone."""

from collections.abc import Sequence
from typing import Any, Final

from django.contrib.admin import SimpleListFilter, display
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.emails import email_key
from accounts.models import User
from accounts.staff.lens.finding import by_id, uuid_of
from accounts.staff.lens.links import NOTHING, people_by_uuid, person_link
from accounts.staff.lens.options import LensModelAdmin
from accounts.staff.lens.site import lens
from platform_site.journal.keys import journal_keys
from platform_site.journal.models import JournalEntry
from platform_site.journal.services import masked

# What a UUID may be the id of; the index begins with it.
_WITH_IDS: Final = (
    "action_item", "api_key", "billing", "channel", "delivery", "entity", "message", "suppression", "tenant", "user",
)  # fmt: skip


def meaning_of(key: str) -> str:
    """What a person reads; the key itself when no code knows it any more."""
    return journal_keys.get(key).meaning if key in journal_keys else key


class AreaFilter(SimpleListFilter):
    """By the part of the product. The index has the key, so the keys are named one by one."""

    title = "area"
    parameter_name = "area"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        areas = dict.fromkeys(item.key.partition(".")[0] for item in journal_keys)
        return [(area, area.replace("_", " ")) for area in sorted(areas)]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[JournalEntry]") -> "QuerySet[JournalEntry]":
        if not self.value():
            return queryset
        return queryset.filter(key__in=[item.key for item in journal_keys if item.key.startswith(f"{self.value()}.")])


@lens(JournalEntry, "entry", "entries")
class JournalEntryAdmin(LensModelAdmin):
    list_display = ("at", "meaning", "actor", "impersonator", "subject", "origin")
    list_filter = (AreaFilter,)
    search_help_text = "An entry's, a person's or a subject's id, or a person's whole address"
    fields = (
        "id", "at", "key", "meaning", "actor", "impersonator", "origin", "request_id", "subject", "data",
    )  # fmt: skip
    export_more = ("key",)

    def fill(self, rows: Sequence[Any]) -> None:
        subjects = [uuid_of(row.subject_id) for row in rows if row.subject_type == "user"]
        people = people_by_uuid([*(row.actor_id for row in rows), *subjects])
        for row in rows:
            # Once more: rules may have become stricter since it was written.
            row.data = masked(row.data)
            row.lens_actor = people.get(row.actor_id) if row.actor_id else None
            row.lens_subject = people.get(uuid_of(row.subject_id)) if row.subject_type == "user" else None

    def find(self, queryset: "QuerySet[JournalEntry]", term: str) -> "QuerySet[JournalEntry]":
        uuid = uuid_of(term)
        if uuid is None:
            uuid = User.objects.filter(email_key=email_key(term)).values_list("uuid", flat=True).first()
            return queryset.filter(subject_type="user", subject_id=str(uuid)) if uuid else queryset.none()
        found = by_id(queryset, term, "actor_id")
        return found if found.exists() else queryset.filter(subject_type__in=_WITH_IDS, subject_id=str(uuid))

    def title_of(self, subject: JournalEntry) -> str:
        return self.meaning(subject)

    @display(description="what")
    def meaning(self, entry: Any) -> str:
        return meaning_of(entry.key)

    @display(description="by")
    def actor(self, entry: Any) -> str:
        return person_link(entry.lens_actor) if entry.lens_actor else str(entry.actor_id or NOTHING)

    @display(description="about")
    def subject(self, entry: Any) -> str:
        if entry.lens_subject is not None:
            return person_link(entry.lens_subject)
        return f"{entry.subject_type} {entry.subject_id}".strip() or NOTHING
