"""``/health``: reads what the monitor knows. Nothing here asks the database or Valkey."""

from collections.abc import Iterable
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from platform_site.api.docs import operation
from platform_site.api.permissions import Public, SignedIn
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView
from platform_site.errors import SERVICE_UNAVAILABLE, PlatformError
from platform_site.health import shapes
from platform_site.health.catalog import DATABASE, Kind
from platform_site.health.monitor import Report, monitor
from platform_site.health.status import Status, overall

RETRY_SECONDS = 5


class HealthView(ApiView):
    access = Public()

    @operation(
        id="health",
        summary="Is the platform there, and its database?",
        description="Answers from the last background probe; asking often costs the database nothing.",
        output=shapes.HEALTH,
        example={"status": "ok", "database": "up"},
    )
    def get(self, request: Request) -> Response:
        (database,) = monitor().reports(key=DATABASE.key)
        if database.status is Status.DOWN:
            raise _unavailable({"status": Status.DOWN, "database": Status.DOWN})
        return Response({"status": "ok", "database": "up"})


class LiveView(ApiView):
    access = Public()

    @operation(
        id="health_live",
        summary="Does this process answer?",
        description="Depends on nothing, so that a database that is away does not get every process restarted.",
        output=shapes.LIVE,
        example={"status": "ok"},
    )
    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class ReadyView(ApiView):
    access = Public()

    @operation(
        id="health_ready",
        summary="May this process be given requests?",
        description="What is critical is up, the shared schema is migrated, and new workspaces can be made.",
        output=shapes.READY,
        example={"status": "up", "checks": {"database": "up", "schema": "up"}},
    )
    def get(self, request: Request) -> Response:
        reports = [report for report in monitor().reports(*Kind) if report.check.critical]
        return _answer({"status": _overall(reports), "checks": _names(reports)})


class SystemView(ApiView):
    when_unpaid = WhenUnpaid.ALWAYS
    access = Public()

    @operation(
        id="health_system",
        summary="How is every part, in one word each?",
        description=(
            "`degraded` when something that is not critical is down or slow; 503 when something critical is down."
        ),
        output=shapes.SYSTEM,
        example=shapes.SYSTEM_EXAMPLE,
    )
    def get(self, request: Request) -> Response:
        reports = monitor().reports(Kind.INFRASTRUCTURE, Kind.SERVICE)
        return _answer(
            {
                "status": _overall(reports),
                "infrastructure": _names(_of(reports, Kind.INFRASTRUCTURE)),
                "services": _names(_of(reports, Kind.SERVICE)),
            }
        )


class ServicesView(ApiView):
    when_unpaid = WhenUnpaid.ALWAYS
    access = SignedIn()

    @operation(
        id="health_services",
        summary="The same with times, latencies and the class of the last error",
        description="200 whatever the parts say: this is a report, not a probe.",
        output=shapes.SERVICES,
        example=shapes.SERVICES_EXAMPLE,
    )
    def get(self, request: Request) -> Response:
        reports = monitor().reports(Kind.INFRASTRUCTURE, Kind.SERVICE)
        body = {
            "status": _overall(reports),
            "infrastructure": [shapes.present_report(report) for report in _of(reports, Kind.INFRASTRUCTURE)],
            "services": [shapes.present_report(report) for report in _of(reports, Kind.SERVICE)],
        }
        return Response(body)


def _answer(body: dict[str, Any]) -> Response:
    """200 for up and degraded, 503 with the same words for down."""
    if body["status"] is Status.DOWN:
        raise _unavailable(body)
    return Response(body)


def _unavailable(body: dict[str, Any]) -> PlatformError:
    return PlatformError(SERVICE_UNAVAILABLE, context=body, retry_after=RETRY_SECONDS)


def _of(reports: Iterable[Report], kind: Kind) -> list[Report]:
    return [report for report in reports if report.check.kind is kind]


def _names(reports: Iterable[Report]) -> dict[str, Status]:
    return {report.check.key: report.status for report in reports}


def _overall(reports: Iterable[Report]) -> Status:
    return overall((report.check.critical, report.status) for report in reports)
