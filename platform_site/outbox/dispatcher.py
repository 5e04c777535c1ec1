"""The dispatcher: claims outbox rows, does their work, lets failures rest and retry.

Any number of dispatchers may run; ``claiming`` keeps them out of each other's way.
"""

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import orjson
import structlog
from django.db import transaction

from platform_site import tracing
from platform_site.binding import TenantRef, bind
from platform_site.context import WorkContext, work_context
from platform_site.errors import PlatformError
from platform_site.journal.models import JournalEntry
from platform_site.keys import unseal
from platform_site.mail_connections import mail_connections
from platform_site.metrics.measures import OUTBOX_RUNS
from platform_site.outbox.claiming import Claimed, claim, renew
from platform_site.outbox.clock import clock_of, working_now
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.registry import Reaction, job_kinds, reactions, request_kinds
from platform_site.outbox.services import place
from platform_site.tenants import ACTIVE, PENDING_DELETION, SUSPENDED, TenantUnavailable, find_tenant, working_tenant

log = structlog.get_logger(__name__)

MAX_ATTEMPTS = 10
FIRST_RETRY_SECONDS = 15
LONGEST_RETRY_SECONDS = 3600


def run_once(*, limit: int = 20, now: datetime | None = None) -> int:
    """Claim and run one batch. Gives how many rows were claimed."""
    rows = claim(limit=limit, now=now)
    with mail_connections():
        for row in rows:
            run(row)
    return len(rows)


def drain(*, most: int = 1000) -> int:
    """Run until nothing is due, at most ``most`` rows. Gives how many."""
    done = 0
    while done < most and (count := run_once(limit=min(20, most - done))):
        done += count
    return done


def run(row: Claimed) -> None:
    """Run one claimed row, in its tenant when it has one; whatever goes wrong is written on the row."""
    if row.is_old and not renew(row):
        # Those before it in the batch took their time, and somebody else has it now.
        log.warning("outbox.lease_lost", reaction=row.reaction)
        OUTBOX_RUNS.add(row.reaction, "lost")
        return
    with clock_of(row.now), tracing.span(f"outbox {row.reaction}", outbox_entry_id=str(row.entry_id)):
        _run(row)


def _run(row: Claimed) -> None:
    work = WorkContext(request_id=str(row.entry_id), origin="outbox")
    if row.tenant_id is None:
        with work_context(work):
            failure = _attempt(row, lambda: _serve(row))
    else:
        try:
            tenant = _tenant_for(row, row.tenant_id)
        except TenantUnavailable as error:
            _set_aside(row, error)
            return
        with work_context(work), bind(tenant):
            failure = _attempt(row, lambda: _work(row))
            if failure is not None and row.attempts >= MAX_ATTEMPTS:
                _attempt(row, lambda: _give_up(row))
    if failure is not None:
        _retry_later(row, failure)
    else:
        OUTBOX_RUNS.add(row.reaction, "done")


def _tenant_for(row: Claimed, tenant_id: UUID) -> TenantRef:
    """The tenant to work in; raises ``TenantUnavailable``."""
    if row.reaction in reactions and reactions.get(row.reaction).while_closed:
        tenant = find_tenant(id=tenant_id)
        if tenant is not None and tenant.status in (ACTIVE, SUSPENDED, PENDING_DELETION):
            return tenant
    return working_tenant(tenant_id)


def _attempt(row: Claimed, work: Callable[[], None]) -> Exception | None:
    try:
        work()
    except Exception as error:
        # Everything counts as a failed attempt: the row keeps the work, the log keeps the story.
        log.exception("outbox.reaction_failed", reaction=row.reaction, attempt=row.attempts)
        return error
    return None


def _serve(row: Claimed) -> None:
    kind = request_kinds.get(row.reaction)
    kind.handler(row.id, orjson.loads(unseal(row.payload or b"", place(row.id))))
    _finish(row)


def _work(row: Claimed) -> None:
    if row.reaction in job_kinds:
        again = job_kinds.get(row.reaction).handler(row.entry_id)
        if again is None:
            _finish(row)
        else:
            _rest(row, again)
    else:
        _react(row, reactions.get(row.reaction))


def _give_up(row: Claimed) -> None:
    """A kind of job may want to write down that this was the last attempt."""
    kind = job_kinds.get(row.reaction) if row.reaction in job_kinds else None
    if kind is not None and kind.gave_up is not None:
        kind.gave_up(row.entry_id)


def _react(row: Claimed, reaction: Reaction) -> None:
    if reaction.outside:
        entry = JournalEntry.objects.get(pk=row.entry_id)
        reaction.handler(entry)
        _finish(row)
        return
    with transaction.atomic():
        # The lock makes "still mine" and "now done" one step.
        mine = OutboxRow.objects.select_for_update().filter(pk=row.id, claim=row.claim).exists()
        if not mine:
            log.warning("outbox.lease_lost", reaction=row.reaction)
            return
        reaction.handler(JournalEntry.objects.get(pk=row.entry_id))
        _finish(row)


def _finish(row: Claimed) -> None:
    OutboxRow.objects.filter(pk=row.id, claim=row.claim).delete()


def _rest(row: Claimed, until: datetime) -> None:
    OutboxRow.objects.filter(pk=row.id, claim=row.claim).update(
        available_at=until, claim=None, attempts=0, last_error=""
    )


def _retry_later(row: Claimed, error: Exception) -> None:
    values: dict[str, object] = {"last_error": _describe(error), "claim": None}
    if row.attempts >= MAX_ATTEMPTS:
        values["state"] = OutboxRow.State.DEAD
        log.error("outbox.dead_letter", reaction=row.reaction, row=str(row.id))
        OUTBOX_RUNS.add(row.reaction, "dead")
    else:
        values["available_at"] = working_now() + backoff(row.attempts)
        OUTBOX_RUNS.add(row.reaction, "retry")
    OutboxRow.objects.filter(pk=row.id, claim=row.claim).update(**values)


def backoff(attempts: int) -> timedelta:
    """15 s, 30 s, 60 s ... up to an hour, each with a quarter of jitter: about two hours in all."""
    seconds = min(FIRST_RETRY_SECONDS * 2 ** (attempts - 1), LONGEST_RETRY_SECONDS)
    return timedelta(seconds=seconds * random.uniform(0.75, 1.25))  # noqa: S311 - jitter is no secret


def _set_aside(row: Claimed, error: TenantUnavailable) -> None:
    """The work of a tenant that is closed for now waits for it; work for one that is gone is dead."""
    state = OutboxRow.State.PARKED if error.may_return else OutboxRow.State.DEAD
    OUTBOX_RUNS.add(row.reaction, str(state.value))
    OutboxRow.objects.filter(pk=row.id, claim=row.claim).update(
        state=state, last_error=_describe(error), claim=None, attempts=row.attempts - 1
    )


def _describe(error: Exception) -> str:
    """The kind of error, never its text: texts of mail servers hold addresses."""
    if isinstance(error, PlatformError):
        return f"PlatformError:{error.code.key}"
    return type(error).__name__
