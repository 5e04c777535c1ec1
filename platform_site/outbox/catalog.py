"""What the outbox adds to the platform's catalogues."""

from platform_site.metrics.gauges import Gauge, gauges
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.selectors import BY_STATE, OLDEST_DUE
from platform_site.outbox.services import place
from platform_site.sealed_columns import SealedColumn, sealed_columns
from platform_site.tenant_rows import AtPurge, AtRestore, TenantRows, tenant_rows

sealed_columns.add(
    SealedColumn(
        key="outbox.requests",
        model="outbox.OutboxRow",
        column="payload",
        place=lambda row: place(row.id),
        sealed_by="platform_site.outbox.services.enqueue_request",
    )
)
OUTBOX_ROWS = tenant_rows.add(
    TenantRows(
        "outbox.OutboxRow",
        "tenant_id",
        AtPurge.REMOVED,
        AtRestore.BY_RULE,
        "A mail that was sent since must not be sent again: what waits now goes on waiting if what it is about is"
        " there, and of the backup only comes back what cannot have been done since.",
    )
)
_QUEUES = [str(queue) for queue in OutboxRow.Queue.values]
gauges.add(
    Gauge(
        "core_outbox_rows",
        "Work in the outbox, by queue and state",
        ("queue", "state"),
        BY_STATE,
        zeros=tuple((queue, str(state)) for queue in _QUEUES for state in OutboxRow.State.values),
    )
)
gauges.add(
    Gauge(
        "core_outbox_oldest_seconds",
        "For how long the oldest work that is due has waited",
        ("queue",),
        OLDEST_DUE,
        zeros=tuple((queue,) for queue in _QUEUES),
    )
)
