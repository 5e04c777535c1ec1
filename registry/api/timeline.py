"""The events of a record, where clients of the registry look for them."""

from typing import ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from events.api import examples
from events.api.reading import DEFAULT, MOST
from events.api.serializers import PlatformEventOutput, PlatformEventsMeta
from events.api.views import GONE, EventsOfRecordView
from platform_site.api.docs import operation, operation_of

_SAME = operation_of(EventsOfRecordView, "GET")


class TimelineView(EventsOfRecordView):
    parameters: ClassVar = EventsOfRecordView.parameters

    @operation(
        id="registry_timeline",
        summary="What happened to a record, the latest first",
        description="The same as `GET /platform-events/:canonicalId`.",
        output=PlatformEventOutput,
        example=examples.EVENT,
        listed="cursor",
        limit=(DEFAULT, MOST),
        meta=PlatformEventsMeta,
        errors=GONE,
        parameters=_SAME.parameters if _SAME else (),
    )
    def get(self, request: Request, canonical_id: UUID) -> Response:
        return super().get(request, canonical_id)
