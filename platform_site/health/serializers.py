"""What health answers look like."""

from rest_framework import serializers

from platform_site.api.serializers import Moment, Shape
from platform_site.health.monitor import Report
from platform_site.health.status import Status

_STATUSES = [status.value for status in Status]


class HealthOutput(Shape):
    status = serializers.ChoiceField(choices=["ok"])
    database = serializers.ChoiceField(choices=["up"])


class LiveOutput(Shape):
    status = serializers.ChoiceField(choices=["ok"])


class ReportOutput(Shape):
    name = serializers.CharField()
    status = serializers.ChoiceField(choices=_STATUSES)
    critical = serializers.BooleanField()
    latency_ms = serializers.FloatField(allow_null=True)
    checked_at = Moment(allow_null=True)
    last_error = serializers.CharField(allow_null=True)


class ServicesOutput(Shape):
    status = serializers.ChoiceField(choices=_STATUSES)
    infrastructure = ReportOutput(many=True)
    services = ReportOutput(many=True)


def present_report(report: Report) -> dict[str, object]:
    return {
        "name": report.check.key,
        "status": report.status,
        "critical": report.check.critical,
        "latency_ms": report.latency_ms,
        "checked_at": report.checked_at,
        "last_error": report.error or None,
    }
