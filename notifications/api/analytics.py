"""``/notifications/analytics``: what became of notifications and of digests."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.roles import Role
from notifications import errors
from notifications.analytics import MOST_EVENTS, SUMS, Analytics, Counted, Noticed, Span, analytics, tracking
from notifications.api import examples
from notifications.api.analytics_query import DATE, SPAN_PARAMETERS, channel_of, event_of, span_of
from notifications.api.analytics_shapes import AnalyticsOutput, DigestAnalyticsOutput
from notifications.channels import CHANNELS
from notifications.digest_analytics import digest_analytics
from platform_site.api.docs import operation, query
from platform_site.api.permissions import SignedIn
from platform_site.api.views import ApiView
from platform_site.moments import wire_time
from platform_site.names import camel
from platform_site.notification_events import IN_APP

ATTRIBUTION = "created"
_TREND = ("created", "suppressed", "sent", "delivered", "failed", "opened", "clicked")
_DEFINITIONS = "\n".join(f"- `{camel(name)}`: {meaning}" for name, meaning in SUMS.items())
_SPAN = [
    query("from", DATE, "The first day; 29 days before the last when it is missing."),
    query("to", DATE, "The last day, which is included; today when it is missing."),
]


class AnalyticsView(ApiView):
    access = SignedIn()
    parameters: ClassVar = {"GET": (*SPAN_PARAMETERS, "eventKey", "channel")}

    @operation(
        id="notifications_analytics",
        summary="What became of notifications",
        description="What is counted are deliveries: one notification for one person on one channel. Administrators see"
        " the whole company's, everybody else the own ones, from what is kept of them (mails for 90 days)."
        " Days are those of the company's time zone, at most 366. Everything counts for the day on which the delivery"
        " was made, whenever it happened, so that no rate is above 1."
        f"\n\n{_DEFINITIONS}\n\n"
        "`created` = `suppressed` + `deferred` + `queued` + `sent` + `failed`; `deferred` and `queued` are states now."
        " The mails of digests themselves are not among them.\n\n"
        "- `deliveryRate`: `delivered` / `sent`, over channels whose arrival is confirmed: in_app always, email where"
        " the provider reports it\n"
        "- `openRate`: `opened` / `delivered`, over channels that notice it: in_app always, email where tracking is on;"
        " `sent` instead of `delivered` where arrival is not confirmed. Only mail to those who agreed is tracked, so"
        " for email it is the least that it can be\n"
        "- `clickRate`: `clicked`, likewise; in_app does not notice it\n"
        "- `failureRate`: (`failed` + `bounced`) / (`sent` + `failed`)\n\n"
        f"A rate is null where it would be over nothing. `byEvent` has the {MOST_EVENTS} most frequent events.",
        output=AnalyticsOutput,
        example=examples.ANALYTICS,
        parameters=[
            *_SPAN,
            query("eventKey", {"type": "string", "maxLength": 80}, "Only this event."),
            query("channel", str, "Only this channel.", enum=[IN_APP, *CHANNELS]),
        ],
        errors=[errors.RANGE_TOO_LARGE, errors.UNKNOWN_EVENT, errors.UNKNOWN_CHANNEL],
    )
    def get(self, request: Request) -> Response:
        span = span_of(request)
        found = analytics(span, user_id=_only(self), event_key=event_of(request), channel=channel_of(request))
        return Response({**_head(self, span), **_present(found), "meta": _meta()})


class DigestAnalyticsView(ApiView):
    access = SignedIn()
    parameters: ClassVar = {"GET": SPAN_PARAMETERS}

    @operation(
        id="notifications_digest_analytics",
        summary="What became of digests",
        description="Administrators see the whole company's, everybody else the own ones (kept for 90 days). A digest"
        " counts for the day on which its first notification came. `skippedEmpty` are those in which everything was"
        " read before they were sent. `subscribers` are active people by how often they want digests, now.",
        output=DigestAnalyticsOutput,
        example=examples.DIGEST_ANALYTICS,
        parameters=_SPAN,
        errors=[errors.RANGE_TOO_LARGE],
    )
    def get(self, request: Request) -> Response:
        span = span_of(request)
        found = digest_analytics(span, user_id=_only(self))
        sent, items = found.total["digests_sent"], found.total["items_delivered"]
        return Response(
            {
                **_head(self, span),
                **_wire(found.total),
                "avgItemsPerDigest": round(items / sent, 2) if sent else None,
                "subscribers": dict(found.subscribers),
                "dailyTrend": [{"date": day.isoformat(), **_wire(sums)} for day, sums in found.days.items()],
            }
        )


def _only(view: ApiView) -> int | None:
    """Whose they are to be; None for an administrator, who sees everybody's."""
    return None if view.identity.role == Role.TENANT_ADMIN else view.identity.user_id


def _head(view: ApiView, span: Span) -> dict[str, Any]:
    period = {"from": span.first.isoformat(), "to": span.last.isoformat(), "timezone": span.zone}
    return {"period": period, "scope": "tenant" if _only(view) is None else "me"}


def _present(found: Analytics) -> dict[str, Any]:
    return {
        "overview": _counted(found.overview),
        "suppressedByReason": dict(found.reasons),
        "byEvent": [{"eventKey": key, **_counted(one)} for key, one in found.events.items()],
        "byChannel": [
            {"channel": channel, **_counted(one), "tracking": _noticed(found.noticed[channel])}
            for channel, one in found.channels.items()
        ],
        "dailyTrend": [
            {"date": day.isoformat(), **{name: sums[name] for name in _TREND}} for day, sums in found.days.items()
        ],
    }


def _counted(one: Counted) -> dict[str, Any]:
    return {
        **_wire(one.sums),
        "deliveryRate": one.delivery_rate,
        "openRate": one.open_rate,
        "clickRate": one.click_rate,
        "failureRate": one.failure_rate,
    }


def _noticed(noticed: Noticed) -> dict[str, bool]:
    return {"delivered": noticed.arrival, "opens": noticed.opens, "clicks": noticed.clicks}


def _wire(sums: Mapping[str, int]) -> dict[str, int]:
    return {camel(name): number for name, number in sums.items()}


def _meta() -> dict[str, Any]:
    opens, clicks = tracking()
    return {
        "generatedAt": wire_time(timezone.now()),
        "attribution": ATTRIBUTION,
        "tracking": {"opens": opens, "clicks": clicks},
    }
