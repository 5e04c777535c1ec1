"""What health answers look like: their schemas and examples for the OpenAPI document, and reports as JSON."""

from typing import Any

from platform_site.health.monitor import Report
from platform_site.health.status import Status
from platform_site.moments import wire_time

Schema = dict[str, Any]


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": sorted(properties)}


_OK: Schema = {"type": "string", "const": "ok"}
_STATUS: Schema = {"type": "string", "enum": [status.value for status in Status]}
_BY_NAME: Schema = {"type": "object", "additionalProperties": _STATUS}
_REPORT = _object(
    name={"type": "string"},
    status=_STATUS,
    critical={"type": "boolean"},
    latencyMs={"type": ["number", "null"], "minimum": 0},
    checkedAt={"type": ["string", "null"], "format": "date-time"},
    lastError={"type": ["string", "null"], "description": "The class of what went wrong."},
)
_REPORTS: Schema = {"type": "array", "items": _REPORT}

HEALTH = _object(status=_OK, database={"type": "string", "const": "up"})
LIVE = _object(status=_OK)
READY = _object(status=_STATUS, checks=_BY_NAME)
SYSTEM = _object(status=_STATUS, infrastructure=_BY_NAME, services=_BY_NAME)
SERVICES = _object(status=_STATUS, infrastructure=_REPORTS, services=_REPORTS)


def present_report(report: Report) -> dict[str, Any]:
    return {
        "name": report.check.key,
        "status": report.status,
        "critical": report.check.critical,
        "latencyMs": report.latency_ms,
        "checkedAt": wire_time(report.checked_at) if report.checked_at else None,
        "lastError": report.error or None,
    }


def _example(name: str, status: Status, *, critical: bool = False, error: str | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "status": status.value,
        "critical": critical,
        "latencyMs": 1.4,
        "checkedAt": "2026-11-23T09:14:00.000Z",
        "lastError": error,
    }


SYSTEM_EXAMPLE = {
    "status": "degraded",
    "infrastructure": {"database": "up", "valkey": "up", "outbox": "up", "mail": "up"},
    "services": {"crm": "up", "telephony": "down"},
}
SERVICES_EXAMPLE = {
    "status": "degraded",
    "infrastructure": [_example("database", Status.UP, critical=True), _example("valkey", Status.UP)],
    "services": [_example("crm", Status.UP), _example("telephony", Status.DOWN, error="ConnectError")],
}
