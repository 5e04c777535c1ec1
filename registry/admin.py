"""Records of people and companies, as staff see them in the lens.

Merging and erasing are the tenant's own decisions.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.admin import display
from django.db.models import QuerySet

from accounts.models import User
from accounts.staff.columns import badge, moment_text
from accounts.staff.lens.finding import by_id, uuid_of
from accounts.staff.lens.links import NOTHING, address, link, list_address, people_by_uuid, person_link
from accounts.staff.lens.options import LensModelAdmin
from accounts.staff.lens.panels import ROWS, Cell, Panel
from accounts.staff.lens.site import lens
from events.models import Event
from registry.matching.normalising import search_key
from registry.models import Entity, HistoryEntry, Identifier, Link, Merge

# Shorter texts are in no index but that of the beginnings of names.
_SHORTEST = 3


def _identifiers(entity: Entity) -> Iterable[Sequence[Any]]:
    for one in Identifier.objects.filter(entity=entity).order_by("kind", "value")[:ROWS]:
        erased = one.kind == Identifier.Kind.ERASED
        yield one.get_kind_display(), "(a digest)" if erased else one.raw or one.value, moment_text(one.created_at)


def _links(entity: Entity) -> Iterable[Sequence[Any]]:
    for one in Link.objects.filter(entity=entity).order_by("-id")[:ROWS]:
        state = "ended" if one.unlinked_at else "linked"
        yield Cell(f"{one.app} {one.entity_type}", address(Link, one.pk)), one.entity_id_in_app, one.method, state


def _history(entity: Entity) -> Iterable[Sequence[Any]]:
    rows = list(HistoryEntry.objects.filter(entity=entity).order_by("-seq")[:ROWS])
    people = people_by_uuid(row.actor_id for row in rows)
    for one in rows:
        actor: User | None = people.get(one.actor_id) if one.actor_id else None
        yield moment_text(one.at), one.get_op_display(), actor.display_name if actor else "", one.reason


def _merged(entity: Entity) -> Iterable[Sequence[Any]]:
    for one in Entity.objects.filter(merged_into=entity).order_by("-id")[:ROWS]:
        yield Cell(one.name, address(Entity, one.pk)), str(one.pk)


@lens(Entity, "record")
class EntityAdmin(LensModelAdmin):
    list_display = ("name_shown", "email", "entity_class", "status_shown", "links_count", "updated_at")
    list_filter = ("status",)
    # By the index of the last change.
    ordering = ("-updated_at", "-id")
    search_help_text = "Part of a name or address, or an id"
    in_quick_search = True
    fields = (
        "id", "name_shown", "email", "entity_class", "status_shown", "winner", "attributes", "provenance", "pins",
        "locked", "version", "created_at", "updated_at", "elsewhere",
    )  # fmt: skip
    panels = (
        Panel("Known by", ("Kind", "Value", "Since"), _identifiers),
        Panel("Stands for", ("Record of", "Its id there", "How", "State"), _links),
        Panel("Records that became part of it", ("Name", "Id"), _merged),
        Panel("History", ("When", "What", "By", "Reason"), _history),
    )

    def find(self, queryset: "QuerySet[Entity]", term: str) -> "QuerySet[Entity]":
        uuid = uuid_of(term)
        if uuid is not None:
            return queryset.filter(pk=uuid)
        key = search_key(term)
        if len(key) < _SHORTEST:
            return queryset.filter(name_key__startswith=key) if key else queryset.none()
        for word in key.split():
            queryset = queryset.filter(search_text__contains=word)
        return queryset

    def title_of(self, subject: Entity) -> str:
        return subject.name or f"Erased record {subject.pk}"

    @display(description="name")
    def name_shown(self, entity: Entity) -> str:
        return entity.name or "(erased)"

    @badge("status", {"Active": "success", "Merged": "info", "Erased": "danger"})
    def status_shown(self, entity: Entity) -> str:
        return str(entity.get_status_display())

    @display(description="became part of")
    def winner(self, entity: Entity) -> str:
        return link(entity.merged_into_id, address(Entity, entity.merged_into_id)) if entity.merged_into_id else NOTHING

    @display(description="more")
    def elsewhere(self, entity: Entity) -> str:
        return link("Events of this record", list_address(Event, canonical_id__exact=entity.pk))


@lens(Link, "link")
class LinkAdmin(LensModelAdmin):
    list_display = ("created_at", "app", "entity_type", "entity_id_in_app", "record", "method", "unlinked_at")
    list_select_related = ("entity",)
    list_filter = ("method",)
    search_help_text = "A link's or a record's id"
    fields = (
        "id", "record", "origin_id", "app", "entity_type", "entity_id_in_app", "snapshot", "snapshot_at", "method",
        "confidence", "maker", "created_at", "unlinked_at", "unlinked_by",
    )  # fmt: skip

    def find(self, queryset: "QuerySet[Link]", term: str) -> "QuerySet[Link]":
        return by_id(queryset, term, "entity_id")

    def title_of(self, subject: Link) -> str:
        return str(subject)

    @display(description="record")
    def record(self, one: Link) -> str:
        return link(one.entity.name or one.entity_id, address(Entity, one.entity_id))

    @display(description="made by")
    def maker(self, one: Link) -> str:
        return person_link(people_by_uuid([one.created_by]).get(one.created_by)) if one.created_by else NOTHING


@lens(Merge, "merge")
class MergeAdmin(LensModelAdmin):
    list_display = ("at", "into", "part", "reason", "undone_at")
    list_select_related = ("winner", "loser")
    search_help_text = "A merge's id"
    fields = ("id", "at", "into", "part", "reason", "field_decisions", "by", "undone_at", "undone_by")

    def find(self, queryset: "QuerySet[Merge]", term: str) -> "QuerySet[Merge]":
        return by_id(queryset, term)

    def title_of(self, subject: Merge) -> str:
        return f"Merge {subject.seq}"

    @display(description="winner")
    def into(self, one: Merge) -> str:
        return link(one.winner.name or one.winner_id, address(Entity, one.winner_id))

    @display(description="loser")
    def part(self, one: Merge) -> str:
        return link(one.loser.name or one.loser_id, address(Entity, one.loser_id))

    @display(description="by")
    def by(self, one: Merge) -> str:
        return person_link(people_by_uuid([one.actor_id]).get(one.actor_id)) if one.actor_id else NOTHING
