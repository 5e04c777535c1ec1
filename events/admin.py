"""Events as staff see them in the lens."""

from collections.abc import Sequence
from typing import Any

from django.contrib.admin import display
from django.db.models import QuerySet

from accounts.staff.lens.finding import by_id
from accounts.staff.lens.links import NOTHING, people_by_uuid, person_link
from accounts.staff.lens.options import LensModelAdmin
from accounts.staff.lens.site import lens
from events.models import Event


@lens(Event, "event")
class EventAdmin(LensModelAdmin):
    """In the order in which they came, which is that of their ids."""

    list_display = ("received_at", "occurred_at", "app", "category", "action", "canonical_id", "actor")
    search_help_text = "An event's or a record's id"
    lookups = frozenset({"canonical_id__exact"})
    fields = (
        "id", "canonical_id", "app", "category", "action", "occurred_at", "received_at", "message_id", "actor",
        "source_type", "source_id", "metadata",
    )  # fmt: skip

    def fill(self, rows: Sequence[Any]) -> None:
        people = people_by_uuid(row.actor_id for row in rows)
        for row in rows:
            row.lens_actor = people.get(row.actor_id) if row.actor_id else None

    def find(self, queryset: "QuerySet[Event]", term: str) -> "QuerySet[Event]":
        return by_id(queryset, term, "canonical_id")

    def title_of(self, subject: Event) -> str:
        return f"{subject.app}: {subject.action}"

    @display(description="by")
    def actor(self, event: Any) -> str:
        if event.lens_actor is not None:
            return person_link(event.lens_actor)
        return str(event.actor_id or NOTHING)
