"""``/notifications/send``: events from modules of the product."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from notifications import errors
from notifications.api.serializers import RaisedOutput, RaiseInput
from notifications.catalog import NOTIFICATIONS_SEND
from notifications.services.raising import notification_raise
from platform_site.api.docs import operation
from platform_site.api.permissions import Needs
from platform_site.api.views import ApiView


class RaiseView(ApiView):
    access = Needs(NOTIFICATIONS_SEND)
    idempotent: ClassVar = frozenset({"POST"})

    @operation(
        id="notifications_send",
        summary="Raise an event for some people",
        description="For modules of the product, with an API key. Each person's preferences and quiet hours decide what"
        " comes of it. People are named by userId or id.",
        input=RaiseInput,
        output=RaisedOutput,
        status=202,
        example_in={
            "eventKey": "sales.lead_assigned",
            "userIds": [5],
            "data": {"leadName": "Acme Corp", "assignedBy": "Jane Doe", "leadId": 42},
            "dedupKey": "lead-42-5",
        },
        example={"told": 1},
        errors=[
            errors.UNKNOWN_EVENT,
            errors.EVENT_NOT_RAISABLE,
            errors.UNKNOWN_VARIABLE,
            errors.UNKNOWN_RECIPIENT,
        ],
    )
    def post(self, request: Request) -> Response:
        data = self.read(RaiseInput)
        told = notification_raise(
            actor=self.identity,
            event_key=data["event_key"],
            recipients=data["user_ids"],
            values=data.get("data", {}),
            dedup_key=data.get("dedup_key"),
        )
        return Response({"told": told}, status=202)
