"""The catalogue of health checks. An app adds its own from its ``catalog.py``.

A probe may block and may raise: it runs in a thread of its own, never in a
request. Raising means down, and so does taking longer than ``timeout``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from platform_site.catalog import Catalog
from platform_site.health import probes
from platform_site.health.status import Status


class Kind(StrEnum):
    """Where a check is shown."""

    INFRASTRUCTURE = "infrastructure"  # on /health/system and /health/services
    SERVICE = "service"  # likewise, among the product's own services
    READINESS = "readiness"  # on /health/ready alone


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One question that is asked every ``interval`` seconds.

    ``critical``: when it is down, so is the platform. Without a critical one
    down, anything that is not up makes it degraded.
    """

    key: str
    critical: bool
    probe: Callable[[], Status]
    interval: float = 10.0
    timeout: float = 2.0
    kind: Kind = Kind.INFRASTRUCTURE


health_checks: Catalog[HealthCheck] = Catalog("health checks")

# Half a second is long for SELECT 1, and a dead server has to be noticed within two.
DATABASE = health_checks.add(HealthCheck("database", True, probes.Database(), interval=1.0, timeout=0.5))
VALKEY = health_checks.add(HealthCheck("valkey", False, probes.valkey_answers, interval=2.0, timeout=1.0))
OUTBOX = health_checks.add(HealthCheck("outbox", False, probes.outbox_moves, interval=10.0, timeout=3.0))
MAIL = health_checks.add(HealthCheck("mail", False, probes.mail_server_greets, interval=30.0, timeout=4.0))
SCHEMA = health_checks.add(
    HealthCheck("schema", True, probes.schema_is_current, interval=5.0, timeout=3.0, kind=Kind.READINESS)
)
