"""What was done with a record, what is known about it, and what changed in the whole registry."""

from typing import Any, ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from platform_site.api.docs import operation
from platform_site.api.pagination import CURSOR_PARAMETERS, CursorQuery, paginate_by_cursor, seal_cursor
from platform_site.api.permissions import Needs
from platform_site.api.renderers import Listed
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView
from registry import errors
from registry.api import examples
from registry.api.serializers import EntityProfileOutput, HistoryOutput, MergeRecordOutput
from registry.catalog import REGISTRY_ERASE, REGISTRY_VIEW
from registry.presenting import present_history, present_merge, present_profile
from registry.selectors.changes import changes_after
from registry.selectors.exporting import entity_export
from registry.selectors.records import all_links, entity_view, genealogy, merges_of, open_pairs
from registry.selectors.resolving import entity_resolve

LIMIT = 100
MOST = 200
_CHANGES = "registry_changes"


class GenealogyView(ApiView):
    access = Needs(REGISTRY_VIEW)
    parameters: ClassVar = {"GET": CURSOR_PARAMETERS}

    @operation(
        id="registry_genealogy",
        summary="What was done with a record",
        description="The oldest first, with what happened to all records that became part of it. Nothing in it changes"
        " any more; played back it gives the links of today. `canonicalIdAtTime` is the record that it happened to.",
        output=HistoryOutput,
        example=examples.HISTORY,
        listed="cursor",
        limit=(LIMIT, MOST),
        errors=[errors.ENTITY_ERASED],
    )
    def get(self, request: Request, canonical_id: UUID) -> Response:
        asked = CursorQuery.from_request(request, "registry_genealogy", default=LIMIT, maximum=MOST)
        entries, meta = paginate_by_cursor(genealogy(canonical_id), asked, ("seq",))
        return Listed([present_history(entry) for entry in entries], meta)


class ProfileView(ApiView):
    access = Needs(REGISTRY_VIEW)

    @operation(
        id="registry_profile",
        summary="Everything that is known about somebody",
        description="`fields` has each field with its value, who says so (`provenance`, with the `rule` by which it"
        " survived: pinned, source_order, most_recent or only_one) and what others say (`alternatives`). Of lists all"
        " items survive. `apps` counts links.",
        output=EntityProfileOutput,
        example={
            **examples.ENTITY,
            "requestedId": examples.WINNER_ID,
            "mergedIds": [],
            "fields": {
                "name": {
                    "value": "Jane Doe",
                    "provenance": {
                        "rule": "only_one",
                        "linkId": examples.LINK_ID,
                        "app": "sales",
                        "entityType": "lead",
                        "entityId": "42",
                        "observedAt": examples.AT,
                    },
                    "alternatives": [],
                }
            },
            "apps": {"sales": 1},
            "identifiers": [examples.IDENTIFIER],
            "openDuplicates": 0,
        },
        errors=[errors.ENTITY_ERASED],
    )
    def get(self, request: Request, canonical_id: UUID) -> Response:
        view = entity_view(canonical_id)
        shown = present_profile(view, all_links(view.entity), openDuplicates=open_pairs(view.entity))
        return Response(shown)


class MergesView(ApiView):
    access = Needs(REGISTRY_VIEW)

    @operation(
        id="registry_merges",
        summary="Merges of a record that can be undone",
        description="The last one, which is undone first, comes first.",
        output=MergeRecordOutput,
        example={
            "mergeId": examples.MERGE_ID,
            "winnerId": examples.WINNER_ID,
            "loserId": examples.LOSER_ID,
            "reason": "",
            "at": examples.AT,
            "actorId": examples.ACTOR_ID,
        },
        listed="all",
        errors=[errors.ENTITY_ERASED],
    )
    def get(self, request: Request, canonical_id: UUID) -> Response:
        entity = entity_resolve(canonical_id)
        return Response([present_merge(merge) for merge in merges_of(entity.id)])


class ChangesView(ApiView):
    access = Needs(REGISTRY_VIEW)
    parameters: ClassVar = {"GET": CURSOR_PARAMETERS}

    @operation(
        id="registry_changes",
        summary="What happened to all records, for who keeps a copy",
        description="The oldest first. `meta.nextCursor` is there also at the end: come back with it for what happened"
        " since. Nothing appears behind a cursor later.",
        output=HistoryOutput,
        example=examples.HISTORY,
        listed="cursor",
        limit=(LIMIT, MOST),
    )
    def get(self, request: Request) -> Response:
        asked = CursorQuery.from_request(request, _CHANGES, default=LIMIT, maximum=MOST)
        after = int(asked.after[0]) if asked.after else 0
        entries = changes_after(after, limit=asked.limit)
        last = entries[-1].seq if entries else after
        meta = {"limit": asked.limit, "nextCursor": seal_cursor(_CHANGES, [last]), "prevCursor": None}
        return Listed([present_history(entry) for entry in entries], meta)


class ExportView(ApiView):
    when_unpaid = WhenUnpaid.ALWAYS
    access = Needs(REGISTRY_ERASE)

    @operation(
        id="registry_export",
        summary="All that is stored about somebody",
        description="For whoever asks what is known about them: the record, all links with their snapshots, the history"
        " of everything that became part of it, and the first 1,000 events, the newest first. More events are read with"
        " `GET /platform-events/:canonicalId`, which `eventsComplete` says.",
        output={"type": "object", "additionalProperties": True},
        example={"profile": {}, "links": [], "history": [], "events": [], "eventsComplete": True},
        errors=[errors.ENTITY_ERASED],
    )
    def get(self, request: Request, canonical_id: UUID) -> Response:
        exported: dict[str, Any] = entity_export(canonical_id)
        return Response(exported)
