"""``/me``: what waits for the signed-in person, from all apps."""

import hashlib

import orjson
from django.http import HttpResponse, HttpResponseNotModified
from django.utils import timezone
from django.utils.http import parse_etags
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from platform_site.api.docs import operation
from platform_site.api.permissions import SignedIn
from platform_site.api.serializers import Moment, Shape, Whole
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView
from platform_site.moments import wire_time
from platform_site.unread import Unread, unread_of

STATUSES = ("ok", "unavailable", "not_configured")


class CounterOutput(Shape):
    status = serializers.ChoiceField(choices=STATUSES)


class CountersOutput(Shape):
    email = CounterOutput()
    tasks = CounterOutput()
    chat = CounterOutput()
    notifications = CounterOutput()


class UnreadCountsOutput(Shape):
    """A counter that is not there, or does not answer, is 0, and ``sources`` says so."""

    email = Whole(min_value=0)
    tasks = Whole(min_value=0)
    chat = Whole(min_value=0)
    notifications = Whole(min_value=0)
    total = Whole(min_value=0)
    sources = CountersOutput()
    as_of = Moment()


class UnreadCountsView(ApiView):
    when_unpaid = WhenUnpaid.ALWAYS
    access = SignedIn()

    @operation(
        id="me_unread_counts",
        summary="What one has not read, everywhere",
        description="With an ETag: a client that asks with `If-None-Match` is told 304 as long as nothing changed.",
        output=UnreadCountsOutput,
        example={
            "email": 0,
            "tasks": 3,
            "chat": 5,
            "notifications": 2,
            "total": 10,
            "sources": {
                "email": {"status": "not_configured"},
                "tasks": {"status": "ok"},
                "chat": {"status": "ok"},
                "notifications": {"status": "ok"},
            },
            "asOf": "2026-11-27T09:00:00.000Z",
        },
    )
    def get(self, request: Request) -> HttpResponse:
        unread = unread_of(self.identity.user_id)
        # Kept by the client alone, and never used without asking whether it still holds.
        headers = {"ETag": _etag(unread), "Cache-Control": "private, no-cache"}
        if _knows(request, headers["ETag"]):
            # Without a body: the envelope is none of a 304.
            return HttpResponseNotModified(headers=headers)
        shown = {
            **unread.counts,
            "total": sum(unread.counts.values()),
            "sources": {key: {"status": status} for key, status in unread.statuses.items()},
            "asOf": wire_time(timezone.now()),
        }
        return Response(shown, headers=headers)


def _etag(unread: Unread) -> str:
    """Weak, because ``asOf`` is another each time."""
    seen = orjson.dumps([unread.counts, unread.statuses], option=orjson.OPT_SORT_KEYS)
    return f'W/"{hashlib.sha256(seen).hexdigest()[:16]}"'


def _knows(request: Request, etag: str) -> bool:
    tags = {tag.removeprefix("W/") for tag in parse_etags(request.headers.get("If-None-Match", ""))}
    return bool(tags & {etag.removeprefix("W/"), "*"})
