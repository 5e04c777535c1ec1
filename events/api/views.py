"""``/platform-events``: writing what happened, and reading it as lists and figures."""

from typing import ClassVar
from uuid import UUID

from msgspec import Raw
from rest_framework.request import Request
from rest_framework.response import Response

from events import errors
from events.api import examples
from events.api.parsers import RawJson, raw_body
from events.api.reading import DEFAULT, MOST, PARAMETERS, Asked
from events.api.serializers import (
    BATCH,
    NAME,
    EventActivityOutput,
    EventSummaryOutput,
    IngestedEventOutput,
    IngestReportOutput,
    PlatformEventInput,
    PlatformEventOutput,
    PlatformEventsMeta,
)
from events.catalog import EVENTS_VIEW, EVENTS_WRITE
from events.decoding import batch_of
from events.presenting import (
    present_activity,
    present_event,
    present_ingested,
    present_report,
    present_summary,
    report_details,
)
from events.selectors.records import subject_found
from events.selectors.summaries import events_activity, events_summary
from events.sent import MAX_ACTION, MAX_CATEGORY
from events.services.ingest import event_ingest, events_ingest
from events.subjects import directory
from platform_site.api.docs import operation, query
from platform_site.api.impersonating import WhenImpersonated
from platform_site.api.pagination import MAX_PAGE
from platform_site.api.permissions import Needs
from platform_site.api.query import query_flag
from platform_site.api.renderers import Listed
from platform_site.api.views import ApiView
from platform_site.errors import PlatformError

GONE = (errors.UNKNOWN_CANONICAL, errors.SUBJECT_ERASED)
MOMENT = {"type": "string", "format": "date-time"}


class EventsView(ApiView):
    when_impersonated = WhenImpersonated.WORKS
    access = Needs(EVENTS_WRITE)
    parser_classes = (RawJson,)
    idempotent: ClassVar = frozenset({"POST"})

    @operation(
        id="event_write",
        summary="Write down what happened",
        description="The same `messageId` of the same app is the same event, for ever; a repetition is answered with"
        " 200 and the first one's `id`. `occurredAt` needs an offset and is now when it is not given. `actorId` is a"
        " person of this organisation, by id or number. Metadata may have 32 KB, 300 keys, 5,000 in all, and be 10"
        " deep; keys that begin with `$` are reserved. `canonicalId` in the answer is where the id leads today,"
        " `sentCanonicalId` the one that was sent, when that is another one.",
        input=PlatformEventInput,
        output=IngestedEventOutput,
        status=201,
        also_status={200: "It was written before."},
        example_in=examples.SENT,
        example=examples.INGESTED,
        errors=[*GONE, errors.METADATA_TOO_LARGE],
    )
    def post(self, request: Request) -> Response:
        ingested = event_ingest(item=Raw(raw_body(request)))
        return Response(present_ingested(ingested), status=200 if ingested.again else 201)


class BatchView(ApiView):
    when_impersonated = WhenImpersonated.WORKS
    access = Needs(EVENTS_WRITE)
    parser_classes = (RawJson,)
    idempotent: ClassVar = frozenset({"POST"})
    parameters: ClassVar = {"POST": ("atomic",)}

    @operation(
        id="events_write",
        summary="Write down up to 500 events",
        description="Also as a bare array. What is wrong with one keeps no other from being written, and is reported by"
        " its index; with `atomic=true` nothing is written then. All in one transaction: after an error of the server"
        " nothing was written, and a batch whose events have a `messageId` can be sent again at any time. `ids` are by"
        " index; of a duplicate it is the first one's, and what was not written has null.",
        input=BATCH,
        output=IngestReportOutput,
        status=201,
        also_status={207: "Some were refused."},
        example_in={"events": [examples.SENT]},
        example=examples.REPORT,
        errors=[errors.BATCH_TOO_LARGE, errors.EMPTY_BATCH, errors.NONE_ACCEPTED],
        parameters=[query("atomic", str, "All or nothing.", enum=("true", "false"))],
    )
    def post(self, request: Request) -> Response:
        items = batch_of(raw_body(request))
        report = events_ingest(items=items, all_or_none=query_flag(request, "atomic"))
        shown = present_report(report)
        if not any(shown["ids"]):
            raise PlatformError(errors.NONE_ACCEPTED, details=report_details(report), context=shown)
        return Response(shown, status=207 if report.refused else 201)


class EventsOfRecordView(ApiView):
    access = Needs(EVENTS_VIEW)
    parameters: ClassVar = {"GET": PARAMETERS}

    @operation(
        id="events_of_record",
        summary="What happened to a record, the latest first",
        description="With the events of everything that became part of it. By cursor, which costs the same however far"
        " one goes, or by page number with totals.",
        output=PlatformEventOutput,
        example=examples.EVENT,
        listed="cursor",
        limit=(DEFAULT, MOST),
        meta=PlatformEventsMeta,
        errors=GONE,
        parameters=[
            query("page", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE}, "Instead of a cursor."),
            query("app", NAME, "Only of this app.", example="sales"),
            query("category", {"type": "string", "minLength": 1, "maxLength": MAX_CATEGORY}, "Only of this category."),
            query("action", {"type": "string", "minLength": 1, "maxLength": MAX_ACTION}, "Only this action."),
            query("from", MOMENT, "Happened at this time or later."),
            query("to", MOMENT, "Happened before this time."),
            query("q", {"type": "string", "minLength": 1, "maxLength": MAX_ACTION}, "Is part of the action."),
        ],
    )
    def get(self, request: Request, canonical_id: UUID) -> Response:
        asked = Asked.from_request(request, canonical_id)
        found = subject_found(canonical_id)
        events, meta = asked.of(found.ids)
        return Listed([present_event(one, found.subject.canonical_id) for one in events], meta)


class SummaryView(ApiView):
    access = Needs(EVENTS_VIEW)

    @operation(
        id="events_summary",
        summary="Figures about what happened to a record",
        description="Days are those of the organisation's time zone. `last30` are today and the 29 days before,"
        " `prev30` the 30 days before these, and `deltaPct` is null where nothing happened in them. What lies ahead is"
        " not counted.",
        output=EventSummaryOutput,
        example=examples.SUMMARY,
        errors=GONE,
    )
    def get(self, request: Request, canonical_id: UUID) -> Response:
        found = subject_found(canonical_id)
        apps = directory().linked_apps(found.subject.canonical_id)
        return Response(present_summary(events_summary(found.ids), found.subject.canonical_id, apps))


class ActivityView(ApiView):
    access = Needs(EVENTS_VIEW)

    @operation(
        id="events_activity_summary",
        summary="Events by app and category over 30, 90 and 365 days",
        description="Calendar days of the organisation's time zone, today among them. An event belongs to the day on"
        " which it happened, whenever it arrived. What lies ahead is not counted.",
        output=EventActivityOutput,
        example=examples.ACTIVITY,
        errors=GONE,
    )
    def get(self, request: Request, canonical_id: UUID) -> Response:
        found = subject_found(canonical_id)
        return Response(present_activity(events_activity(found.ids), found.subject.canonical_id))
