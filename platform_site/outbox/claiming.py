"""Claiming rows: who works on what, for how long, and whose turn it is.

A claim is one UPDATE over rows found with SKIP LOCKED; it hands out a lease and
names it, so that a runner that was away for longer than its lease cannot finish
what somebody else has taken over.

While little is due, the oldest goes first. When more is due than one claim
takes, tenants take turns: each tenant's rows of a queue are a lane, and a claim
takes the first of every lane before the second of any. So a tenant that imports
a hundred thousand people delays nobody else's mail.
"""

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone

from platform_site.outbox.models import NOBODY, OutboxRow

LEASE = timedelta(minutes=2)
# What waits longer than this behind others of its batch asks again before it is run.
RENEW_AFTER = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Claimed:
    id: UUID
    # None: a request of somebody who is not signed in, with what was asked in ``payload``.
    tenant_id: UUID | None
    entry_id: UUID
    reaction: str
    attempts: int
    payload: bytes | None
    claim: UUID
    # What time it was for whoever claimed it.
    now: datetime
    # On this process's own clock.
    claimed_at: float = field(default_factory=time.monotonic, compare=False)

    @property
    def is_old(self) -> bool:
        """A good part of the lease is over, so it may have been lost."""
        return time.monotonic() - self.claimed_at > RENEW_AFTER.total_seconds()


# ``now`` is a parameter in all of them so that time can be moved in tests.
_DUE = """
    SELECT count(*) FROM (
        SELECT FROM outbox_outboxrow WHERE state = 'pending' AND available_at <= %(now)s LIMIT %(limit)s + 1
    ) AS due
"""
_OLDEST = """
    SELECT id FROM outbox_outboxrow
    WHERE state = 'pending' AND available_at <= %(now)s
    ORDER BY queue, available_at
    LIMIT %(limit)s
    FOR UPDATE SKIP LOCKED
"""
# Lanes are found by jumping from one to the next in their index, not by reading what waits in them. More are
# looked at than taken, so that two dispatchers at once do not both choose rows of which one gets none.
_IN_TURNS = """
    SELECT chosen.id
    FROM unnest(ARRAY(
        WITH RECURSIVE lanes AS (
            (
                SELECT queue, coalesce(tenant_id, %(nobody)s) AS lane FROM outbox_outboxrow
                WHERE state = 'pending' ORDER BY 1, 2 LIMIT 1
            )
            UNION ALL
            SELECT following.queue, following.lane FROM lanes, LATERAL (
                SELECT queue, coalesce(tenant_id, %(nobody)s) AS lane FROM outbox_outboxrow
                WHERE state = 'pending' AND (queue, coalesce(tenant_id, %(nobody)s)) > (lanes.queue, lanes.lane)
                ORDER BY 1, 2 LIMIT 1
            ) AS following
        )
        SELECT waiting.id FROM lanes, LATERAL (
            SELECT id, available_at, row_number() OVER (ORDER BY available_at) AS place
            FROM (
                SELECT id, available_at FROM outbox_outboxrow
                WHERE state = 'pending' AND queue = lanes.queue
                    AND coalesce(tenant_id, %(nobody)s) = lanes.lane AND available_at <= %(now)s
                ORDER BY available_at LIMIT %(limit)s * 4
            ) AS first
        ) AS waiting
        ORDER BY lanes.queue, waiting.place, waiting.available_at
        LIMIT %(limit)s * 4
    )) WITH ORDINALITY AS turn (id, place)
    JOIN outbox_outboxrow AS chosen ON chosen.id = turn.id
    WHERE chosen.state = 'pending' AND chosen.available_at <= %(now)s
    ORDER BY turn.place
    LIMIT %(limit)s
    FOR UPDATE OF chosen SKIP LOCKED
"""
_CLAIM = """
    UPDATE outbox_outboxrow SET available_at = %(lease_until)s, claim = %(claim)s, attempts = attempts + 1
    WHERE id IN ({chosen})
    RETURNING id, tenant_id, entry_id, reaction, attempts, payload
"""


def claim(*, limit: int = 20, now: datetime | None = None, lease: timedelta = LEASE) -> list[Claimed]:
    """Take up to ``limit`` rows that are due; nobody else gets them until the lease is over."""
    now = now or timezone.now()
    name = uuid4()
    values: dict[str, Any] = {
        "now": now,
        "lease_until": now + lease,
        "claim": name,
        "limit": limit,
        "nobody": NOBODY,
    }
    with connection.cursor() as cursor:
        cursor.execute(_DUE, values)
        (due,) = cursor.fetchone()
        if not due:
            return []
        cursor.execute(_CLAIM.format(chosen=_OLDEST if due <= limit else _IN_TURNS), values)
        return [
            Claimed(row_id, tenant_id, entry_id, reaction, attempts, payload, name, now)
            for row_id, tenant_id, entry_id, reaction, attempts, payload in cursor.fetchall()
        ]


def renew(row: Claimed, *, lease: timedelta = LEASE) -> bool:
    """A whole lease again for a row that is still ours; False when somebody else has it."""
    rows = OutboxRow.objects.filter(pk=row.id, claim=row.claim)
    return bool(rows.update(available_at=timezone.now() + lease))
