"""Merging records, undoing it, and pairs that may be one."""

from typing import ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from platform_site.api.docs import operation
from platform_site.api.impersonating import WhenImpersonated
from platform_site.api.pagination import CURSOR_PARAMETERS, CursorQuery, paginate_by_cursor
from platform_site.api.permissions import Needs
from platform_site.api.renderers import Listed
from platform_site.api.views import ApiView
from platform_site.errors import NOT_FOUND, PRECONDITION_FAILED
from platform_site.moments import wire_time
from registry import errors
from registry.api import examples
from registry.api.serializers import (
    CandidateOutput,
    DuplicateOutput,
    MergeInput,
    MergeOutput,
    PairDismissedOutput,
    ReasonInput,
    UndoneOutput,
)
from registry.catalog import REGISTRY_MERGE, REGISTRY_VIEW
from registry.matching.scoring import VISIBLE
from registry.presenting import present_entity, present_merge_outcome, present_undone
from registry.selectors.records import duplicates_open
from registry.selectors.resolving import entity_resolve
from registry.services.candidates import candidates_of, duplicate_dismiss, present_candidate
from registry.services.merging import entities_merge
from registry.services.unmerging import merge_undo


class MergeView(ApiView):
    when_impersonated = WhenImpersonated.WORKS
    access = Needs(REGISTRY_MERGE)

    @operation(
        id="registry_merge",
        summary="Merge two records",
        description="The loser becomes part of the winner: its links and addresses move, its id leads to the winner,"
        " and its events stay where they are and are read with the winner's. Each field says what survives: pinned,"
        " else by registry.source_order, else the most recent; `fieldDecisions` decide by field. With `dryRun` nothing"
        " happens and `blockers` say what stands in the way.",
        input=MergeInput,
        output=MergeOutput,
        example_in={"winnerId": examples.WINNER_ID, "loserId": examples.LOSER_ID},
        example=examples.MERGED,
        errors=[
            NOT_FOUND,
            errors.MERGE_SELF,
            errors.CLASS_MISMATCH,
            errors.LOSER_ALREADY_MERGED,
            errors.WINNER_MERGED,
            errors.ENTITY_LOCKED,
            errors.ENTITY_ERASED,
            errors.LINK_LIMIT,
            errors.MERGE_LIMIT,
            errors.UNKNOWN_DECISION,
            PRECONDITION_FAILED,
        ],
    )
    def post(self, request: Request) -> Response:
        data = self.read(MergeInput)
        done = entities_merge(
            winner_id=data["winner_id"],
            loser_id=data["loser_id"],
            reason=data.get("reason", ""),
            decisions=data.get("field_decisions"),
            dry_run=data.get("dry_run", False),
            expected_versions=data.get("expected_versions"),
        )
        return Response(present_merge_outcome(done))


class UndoView(ApiView):
    when_impersonated = WhenImpersonated.WORKS
    access = Needs(REGISTRY_MERGE)

    @operation(
        id="registry_merge_undo",
        summary="Undo a merge",
        description="The last one of a record first. The loser is a record of its own again, with its links, addresses"
        " and events, also those that came under its id since. Fields of the winner that somebody decided on since"
        " stay, and are `conflicts`.",
        input=ReasonInput,
        output=UndoneOutput,
        example_in={"reason": "Father and son."},
        example={
            "mergeId": examples.MERGE_ID,
            "winner": {**examples.ENTITY, "version": 3},
            "loser": {**examples.OTHER, "version": 3},
            "moved": {"links": 1, "identifiers": 1},
            "conflicts": [],
        },
        errors=[errors.MERGE_UNDONE, errors.NOT_LATEST_MERGE, errors.ENTITY_ERASED, errors.ENTITY_LOCKED],
    )
    def post(self, request: Request, merge_id: UUID) -> Response:
        done = merge_undo(merge_id=merge_id, reason=self.read(ReasonInput).get("reason", ""))
        return Response(present_undone(done))


class DuplicatesView(ApiView):
    access = Needs(REGISTRY_VIEW)
    parameters: ClassVar = {"GET": CURSOR_PARAMETERS}

    @operation(
        id="registry_duplicates",
        summary="Pairs that wait for a decision",
        description="The surest first.",
        output=DuplicateOutput,
        example={
            "records": [examples.ENTITY, examples.OTHER],
            "score": 0.83,
            "reasons": examples.CANDIDATE["reasons"],
            "foundAt": examples.AT,
        },
        listed="cursor",
    )
    def get(self, request: Request) -> Response:
        asked = CursorQuery.from_request(request, "registry_duplicates")
        pairs, meta = paginate_by_cursor(duplicates_open(), asked, ("-score", "low_id", "high_id"))
        shown = [
            {
                "records": [present_entity(pair.low), present_entity(pair.high)],
                "score": round(pair.score, 4),
                "reasons": pair.reasons,
                "foundAt": wire_time(pair.found_at),
            }
            for pair in pairs
        ]
        return Listed(shown, meta)


class DuplicatesOfView(ApiView):
    access = Needs(REGISTRY_VIEW)

    @operation(
        id="registry_duplicates_of",
        summary="Records that may be the same as this one",
        description="The ten likeliest, with reasons, as far as nobody said that they are different ones. From a score"
        " of 0.5 on a pair is proposed under `/entity-registry/duplicates` as well; below are people of one home and"
        " the like.",
        output=CandidateOutput,
        example=examples.CANDIDATE,
        listed="all",
        errors=[errors.ENTITY_ERASED],
    )
    def get(self, request: Request, canonical_id: UUID) -> Response:
        found = candidates_of(entity_resolve(canonical_id), least=VISIBLE, without_dismissed=True)
        return Response([present_candidate(one) for one in found])


class DismissView(ApiView):
    when_impersonated = WhenImpersonated.WORKS
    access = Needs(REGISTRY_MERGE)

    @operation(
        id="registry_duplicate_dismiss",
        summary="Say that two records are different ones",
        description="They are not proposed again.",
        output=PairDismissedOutput,
        example={"dismissed": True},
        errors=[errors.MERGE_SELF],
    )
    def post(self, request: Request, canonical_id: UUID, other_id: UUID) -> Response:
        duplicate_dismiss(one=canonical_id, other=other_id)
        return Response({"dismissed": True})
