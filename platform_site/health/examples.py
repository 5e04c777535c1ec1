"""Schemas and example bodies of ``/health`` for the OpenAPI document."""

from typing import Any

from platform_site.health.status import Status

_STATUS: dict[str, Any] = {"type": "string", "enum": [status.value for status in Status]}
_BY_NAME: dict[str, Any] = {"type": "object", "additionalProperties": _STATUS}

STATUS_WITH_CHECKS: dict[str, Any] = {
    "type": "object",
    "properties": {"status": _STATUS, "checks": _BY_NAME},
    "required": ["checks", "status"],
}
STATUS_WITH_PARTS: dict[str, Any] = {
    "type": "object",
    "properties": {"status": _STATUS, "infrastructure": _BY_NAME, "services": _BY_NAME},
    "required": ["infrastructure", "services", "status"],
}
SYSTEM = {
    "status": "degraded",
    "infrastructure": {"database": "up", "valkey": "up", "outbox": "up", "mail": "up"},
    "services": {"crm": "up", "telephony": "down"},
}


def _report(name: str, status: Status, *, critical: bool = False, error: str | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "status": status.value,
        "critical": critical,
        "latencyMs": 1.4,
        "checkedAt": "2026-11-23T09:14:00.000Z",
        "lastError": error,
    }


SERVICES = {
    "status": "degraded",
    "infrastructure": [_report("database", Status.UP, critical=True), _report("valkey", Status.UP)],
    "services": [_report("crm", Status.UP), _report("telephony", Status.DOWN, error="ConnectError")],
}
