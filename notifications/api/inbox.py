"""``/notifications``: what one was told, and putting it away."""

from typing import ClassVar
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from notifications.api import examples
from notifications.api.serializers import (
    DismissedOutput,
    InboxMeta,
    NotificationOutput,
    ReadAllInput,
    ReadAllOutput,
    ReadOutput,
    UnreadCountOutput,
    present_inbox,
)
from notifications.selectors import inbox, unread_count
from notifications.services.inbox import notification_dismiss, notification_read, notifications_read_all
from platform_site.api.docs import operation, query
from platform_site.api.pagination import PAGE_PARAMETERS, PageQuery, paginate, single_parameter
from platform_site.api.permissions import SignedIn
from platform_site.api.renderers import Listed
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView
from platform_site.errors import VALIDATION_FAILED, FieldError, PlatformError


class InboxView(ApiView):
    access = SignedIn()
    parameters: ClassVar = {"GET": (*PAGE_PARAMETERS, "unread")}

    @operation(
        id="notifications_list",
        summary="One's own notifications, newest first",
        description="Without those that were dismissed. `meta.unreadCount` counts all of them, not only this page.",
        output=NotificationOutput,
        example=examples.NOTIFICATION,
        listed="page",
        meta=InboxMeta,
        parameters=[query("unread", str, "Only those that were not read.", enum=("true", "false"))],
    )
    def get(self, request: Request) -> Response:
        user_id = self.identity.user_id
        rows = inbox(user_id=user_id, unread=_unread(request))
        items, meta = paginate(rows, PageQuery.from_request(request))
        return Listed(present_inbox(items), {**meta, "unreadCount": unread_count(user_id=user_id)})


def _unread(request: Request) -> bool:
    text = single_parameter(request, "unread")
    if text is None:
        return False
    if text not in ("true", "false"):
        raise PlatformError(VALIDATION_FAILED, details=[FieldError("unread", "invalid_choice", "Use true or false.")])
    return text == "true"


class UnreadCountView(ApiView):
    access = SignedIn()

    @operation(
        id="notifications_unread_count",
        summary="How many notifications one has not read",
        output=UnreadCountOutput,
        example={"count": 3, "capped": False},
    )
    def get(self, request: Request) -> Response:
        return Response({"count": unread_count(user_id=self.identity.user_id), "capped": False})


class ReadView(ApiView):
    when_unpaid = WhenUnpaid.CONTINUES
    access = SignedIn()

    @operation(
        id="notifications_read",
        summary="Mark one as read",
        description="Again is fine, and the first time counts. A mail about it that still waits is not sent.",
        output=ReadOutput,
        example={
            "notification": {**examples.NOTIFICATION, "isRead": True, "readAt": "2026-11-23T08:01:00.000Z"},
            "unreadCount": 2,
        },
    )
    def post(self, request: Request, notification_id: UUID) -> Response:
        changed = notification_read(user_id=self.identity.user_id, notification_id=notification_id)
        shown = present_inbox([changed.notification] if changed.notification else [])
        return Response({"notification": shown[0], "unreadCount": changed.unread})

    put = patch = post


class ReadAllView(ApiView):
    when_unpaid = WhenUnpaid.CONTINUES
    access = SignedIn()

    @operation(
        id="notifications_read_all",
        summary="Mark all of them as read",
        description="`before` leaves alone what came in after that time.",
        input=ReadAllInput,
        output=ReadAllOutput,
        example_in={"before": "2026-11-23T08:00:00.000Z"},
        example={"updated": 3, "unreadCount": 0},
    )
    def post(self, request: Request) -> Response:
        changed = notifications_read_all(user_id=self.identity.user_id, **self.read(ReadAllInput))
        return Response({"updated": changed.count, "unreadCount": changed.unread})

    put = patch = post


class NotificationView(ApiView):
    when_unpaid = WhenUnpaid.CONTINUES
    access = SignedIn()

    @operation(
        id="notifications_dismiss",
        summary="Put one away",
        output=DismissedOutput,
        example={"id": examples.NOTIFICATION["id"], "dismissed": True, "unreadCount": 2},
    )
    def delete(self, request: Request, notification_id: UUID) -> Response:
        changed = notification_dismiss(user_id=self.identity.user_id, notification_id=notification_id)
        return Response({"id": str(notification_id), "dismissed": True, "unreadCount": changed.unread})
