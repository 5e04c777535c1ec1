"""What Prometheus is told from the database is what operators and staff are told."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from platform_site.ids import uuid7
from platform_site.metrics.gauges import gauges
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.selectors import queue_status
from tenancy.migrating.tenants import schema_is_behind
from tenancy.models import Tenant


def told(key: str) -> dict[tuple[str, ...], float]:
    gauge = gauges.get(key)
    with connection.cursor() as cursor:
        cursor.execute(gauge.statement, gauge.params())
        return {tuple(labels): float(value) for *labels, value in cursor.fetchall()}


@pytest.mark.parametrize(
    ("status", "behind"),
    [("active", 1), ("suspended", 1), ("pending_deletion", 1), ("provisioning", 0), ("deleted", 0)],
)
def test_a_tenant_that_is_behind_is_so_for_everybody(status: str, behind: int, other_tenant: Tenant) -> None:
    Tenant.objects.filter(pk=other_tenant.pk).update(schema_fingerprint="of the release before", status=status)
    assert Tenant.objects.filter(schema_is_behind()).count() == behind
    assert told("core_tenants_behind") == {(): behind}


def test_what_is_late_is_as_late_for_everybody(tenant: Tenant) -> None:
    OutboxRow.objects.all().delete()
    for number, minutes in ((0, 3), (0, 1), (2, 10), (1, -5)):
        due = timezone.now() - timedelta(minutes=minutes)
        OutboxRow.objects.create(
            tenant_id=tenant.id, entry_id=uuid7(), key="k", reaction="r", queue=number, available_at=due
        )
    late = told("core_outbox_oldest_seconds")
    assert set(late) == {("0",), ("2",)}
    for number, queue in enumerate(queue_status()):
        # The database's clock stands still within a transaction.
        assert late.get((str(number),), 0.0) == pytest.approx(queue.late_seconds, abs=30)
