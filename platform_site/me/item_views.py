"""``/me/action-items``, and ``/action-items`` for modules of the product."""

from typing import Any, ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from platform_site.api.docs import operation, query
from platform_site.api.impersonating import WhenImpersonated
from platform_site.api.pagination import single_parameter, whole_parameter
from platform_site.api.permissions import Needs, SignedIn
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView
from platform_site.errors import NOT_FOUND
from platform_site.me import errors
from platform_site.me.catalog import ITEMS_WRITE
from platform_site.me.collecting import action_items_of
from platform_site.me.item_shapes import ActionItemsOutput, ItemInput, StoredItemOutput
from platform_site.me.presenting import present_collected, present_stored
from platform_site.me.services import item_done, item_put, item_withdraw

ID = "019aaf1e-5d2c-7a31-9c0e-000000000007"
ITEM: dict[str, Any] = {
    "id": ID,
    "source": "tasks",
    "app": "sales",
    "type": "task",
    "title": "Call Jane Doe back",
    "url": "/sales/leads/42",
    "priority": "high",
    "dueAt": "2026-11-27T16:00:00.000Z",
    "state": "due_soon",
    "entity": {"canonicalId": "019aaf1e-5d2c-7a31-9c0e-000000000002"},
    "createdAt": "2026-11-26T09:00:00.000Z",
}
STORED = {
    **{name: ITEM[name] for name in ITEM if name != "source"},
    "key": "lead-42",
    "state": "open",
    "closedAt": None,
}


class ActionItemsView(ApiView):
    when_unpaid = WhenUnpaid.ALWAYS
    access = SignedIn()
    parameters: ClassVar = {"GET": ("limit", "source", "dueWithinDays")}

    @operation(
        id="me_action_items",
        summary="What one should do, from everywhere",
        description="Each item once: overdue from the day after it was due, due soon within `dueWithinDays` days"
        " (3; 0 is today), or one of the other tasks. Days are those of one's own time zone, else the company's. What"
        " is due first comes first, and of that what is most urgent. A source that fails or takes too long is named in"
        " `errors`, and `partial` is true.",
        output=ActionItemsOutput,
        parameters=[
            query("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}, "Items in all."),
            query("source", str, "Only from this source.", example="tasks"),
            query(
                "dueWithinDays",
                {"type": "integer", "minimum": 0, "maximum": 90, "default": 3},
                "How far ahead is soon, in days after today.",
            ),
        ],
        example={
            "tasks": [],
            "overdue": [],
            "dueSoon": [ITEM],
            "counts": {"total": 1, "overdue": 0, "dueToday": 1, "dueSoon": 1},
            "bySource": {"tasks": 1, "chat": 0},
            "partial": False,
            "errors": [],
        },
        errors=[errors.UNKNOWN_SOURCE],
    )
    def get(self, request: Request) -> Response:
        collected = action_items_of(
            self.identity,
            limit=whole_parameter(request, "limit", default=20, maximum=100),
            within_days=whole_parameter(request, "dueWithinDays", default=3, minimum=0, maximum=90),
            source=single_parameter(request, "source"),
        )
        return Response(present_collected(collected))


class DoneView(ApiView):
    when_impersonated = WhenImpersonated.WORKS
    when_unpaid = WhenUnpaid.CONTINUES
    access = SignedIn()

    @operation(
        id="me_action_item_done",
        summary="Say that one has done it",
        description="For items that a module put (source `tasks`). One that was for several is done for all of them."
        " Again is fine.",
        output=StoredItemOutput,
        example={**STORED, "state": "done", "closedAt": "2026-11-27T12:00:00.000Z"},
        errors=[NOT_FOUND],
    )
    def post(self, request: Request, item_id: UUID) -> Response:
        return Response(present_stored(item_done(actor=self.identity, item_id=item_id)))


class OutsideItemView(ApiView):
    when_impersonated = WhenImpersonated.WORKS
    access = Needs(ITEMS_WRITE)

    @operation(
        id="action_item_put",
        summary="Give somebody something to do, or change it",
        description="For modules of the product, with an API key: `key` is the module's own name for it. It waits for"
        " one person (`assignee`, by userId or id), for those who hold a `permission`, or for a `role` and those above"
        " it. Putting the same again changes nothing, also when somebody has done it meanwhile; anything else opens it"
        " again.",
        input=ItemInput,
        output=StoredItemOutput,
        also_status={201: "It was not there before."},
        example_in={
            "assignee": 5,
            "title": "Call Jane Doe back",
            "url": "/sales/leads/42",
            "priority": "high",
            "dueAt": "2026-11-27T16:00:00.000Z",
            "entity": {"canonicalId": "019aaf1e-5d2c-7a31-9c0e-000000000002"},
        },
        example=STORED,
        errors=[
            NOT_FOUND,
            errors.ONE_AUDIENCE,
            errors.UNKNOWN_ASSIGNEE,
            errors.UNKNOWN_AUDIENCE,
            errors.UNKNOWN_ENTITY,
        ],
    )
    def put(self, request: Request, app: str, key: str) -> Response:
        data = self.read(ItemInput)
        entity = data.pop("entity", None)
        put = item_put(app=app, key=key, entity=entity["canonical_id"] if entity else None, **data)
        return Response(present_stored(put.item), status=201 if put.created else 200)

    @operation(
        id="action_item_withdraw",
        summary="Take an item back",
        description="It waits for nobody any more. Again is fine, also after somebody has done it.",
        output=StoredItemOutput,
        example={**STORED, "state": "withdrawn", "closedAt": "2026-11-27T12:00:00.000Z"},
        errors=[NOT_FOUND],
    )
    def delete(self, request: Request, app: str, key: str) -> Response:
        return Response(present_stored(item_withdraw(app=app, key=key)))
