"""Jobs of a tenant, and whose turn it is when much is due."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.utils import timezone

from platform_site.binding import bind, bound_tenant
from platform_site.outbox import claiming, dispatcher
from platform_site.outbox.clock import working_now
from platform_site.outbox.models import NOBODY, OutboxRow
from platform_site.outbox.registry import job_kind
from platform_site.outbox.services import Job, enqueue_jobs, jobs_drop, jobs_move
from tenancy.models import Tenant
from tests.support import at_once

KIND = "tests.job"
done: list[tuple[UUID, object, bool]] = []
errors: list[Exception] = []
waits: list[timedelta] = []
given_up: list[tuple[UUID, object]] = []


@job_kind(KIND, gave_up=lambda subject_id: given_up.append((subject_id, bound_tenant())))
def work(subject_id: UUID) -> datetime | None:
    done.append((subject_id, bound_tenant(), connection.in_atomic_block))
    if errors:
        raise errors.pop()
    return working_now() + waits.pop() if waits else None


@pytest.fixture(autouse=True)
def _fresh(database: None) -> None:
    for kept in (done, errors, waits, given_up):
        kept.clear()
    OutboxRow.objects.all().delete()


def add(tenant: Tenant, *jobs: Job) -> None:
    with bind(tenant.ref), transaction.atomic():
        enqueue_jobs(kind=KIND, jobs=jobs)


def fill(tenant_id: UUID, count: int, *, queue: OutboxRow.Queue = OutboxRow.Queue.DEFAULT) -> None:
    """Rows that are due, each a little later than the one before."""
    past = timezone.now() - timedelta(hours=1)
    OutboxRow.objects.bulk_create(
        OutboxRow(
            tenant_id=tenant_id,
            entry_id=uuid4(),
            key=KIND,
            reaction=KIND,
            queue=queue,
            available_at=past + timedelta(milliseconds=number),
        )
        for number in range(count)
    )


@pytest.mark.commits
def test_a_job_runs_once_in_its_tenant_and_in_no_transaction(tenant: Tenant) -> None:
    subject = uuid4()
    add(tenant, Job(subject))
    assert dispatcher.drain() == 1
    assert done == [(subject, tenant.ref, False)]
    assert not OutboxRow.objects.exists()


def test_a_job_that_fails_comes_back(tenant: Tenant) -> None:
    errors.append(OSError("away"))
    add(tenant, Job(uuid4()))
    dispatcher.drain()
    dispatcher.run_once(now=timezone.now() + timedelta(minutes=1))
    assert len(done) == 2
    assert not OutboxRow.objects.exists()


def test_a_job_that_wants_to_runs_again_with_all_its_attempts(tenant: Tenant) -> None:
    errors.append(OSError("away"))
    waits.append(timedelta(hours=1))
    add(tenant, Job(uuid4()))
    now = timezone.now()
    dispatcher.run_once(now=now)
    dispatcher.run_once(now=now + timedelta(minutes=10))
    row = OutboxRow.objects.get()
    assert (row.attempts, row.claim, row.last_error) == (0, None, "")
    assert abs(row.available_at - now - timedelta(minutes=70)) < timedelta(seconds=5)
    assert dispatcher.run_once(now=now + timedelta(minutes=69)) == 0
    assert dispatcher.run_once(now=now + timedelta(minutes=71)) == 1
    assert not OutboxRow.objects.exists()


def test_the_last_attempt_of_a_job_is_told_to_its_kind_in_its_tenant(tenant: Tenant) -> None:
    subject = uuid4()
    errors.extend(OSError("away") for _ in range(10))
    add(tenant, Job(subject))
    for days in range(1, 12):
        assert given_up == []
        dispatcher.run_once(now=timezone.now() + timedelta(days=days))
        if OutboxRow.objects.get().state == OutboxRow.State.DEAD:
            break
    assert given_up == [(subject, tenant.ref)]


class TestLeases:
    """A row that waited long behind others of its batch."""

    @pytest.fixture
    def waited(self, tenant: Tenant) -> claiming.Claimed:
        add(tenant, Job(uuid4()))
        (row,) = claiming.claim()
        return replace(row, claimed_at=row.claimed_at - 60)

    def test_it_gets_a_whole_lease_again(self, waited: claiming.Claimed) -> None:
        OutboxRow.objects.update(available_at=timezone.now() + timedelta(seconds=5))
        assert claiming.renew(waited)
        assert OutboxRow.objects.get().available_at > timezone.now() + timedelta(seconds=100)
        dispatcher.run(waited)
        assert len(done) == 1

    def test_one_that_somebody_else_has_is_not_run(self, waited: claiming.Claimed) -> None:
        OutboxRow.objects.update(claim=uuid4())
        dispatcher.run(waited)
        assert done == []
        assert OutboxRow.objects.count() == 1


def test_a_job_waits_for_its_time(tenant: Tenant) -> None:
    now = timezone.now()
    add(tenant, Job(uuid4(), due_at=now + timedelta(hours=3)))
    assert dispatcher.run_once(now=now + timedelta(hours=2)) == 0
    assert dispatcher.run_once(now=now + timedelta(hours=4)) == 1


def test_two_jobs_about_the_same_are_one(tenant: Tenant) -> None:
    subject = uuid4()
    add(tenant, Job(subject), Job(subject))
    add(tenant, Job(subject))
    assert OutboxRow.objects.count() == 1


def test_waiting_jobs_can_be_moved_and_dropped_but_not_those_of_another_tenant(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    subject, now = uuid4(), timezone.now()
    for one in (tenant, other_tenant):
        add(one, Job(subject, due_at=now + timedelta(hours=1)))
    with bind(tenant.ref), transaction.atomic():
        assert jobs_move(kind=KIND, subject_ids=[subject], due_at=now) == 1
    assert [row.tenant_id for row in claiming.claim()] == [tenant.id]
    with bind(other_tenant.ref), transaction.atomic():
        assert jobs_drop(kind=KIND, subject_ids=[subject]) == 1
    with bind(tenant.ref), transaction.atomic():
        # Somebody works on it: it cannot be called back.
        assert jobs_drop(kind=KIND, subject_ids=[subject]) == 0


class TestTurns:
    def test_a_flood_of_one_tenant_does_not_hold_the_others_up(self, tenant: Tenant, other_tenant: Tenant) -> None:
        fill(tenant.id, 500)
        fill(other_tenant.id, 3)
        OutboxRow.objects.filter(tenant_id=other_tenant.id).update(available_at=timezone.now())
        first = claiming.claim(limit=20, now=timezone.now() + timedelta(seconds=1))
        assert len(first) == 20
        assert Counter(row.tenant_id for row in first) == {tenant.id: 17, other_tenant.id: 3}

    def test_every_lane_gets_its_first_before_any_gets_its_second(self) -> None:
        tenants = [uuid4() for _ in range(10)]
        for number, tenant_id in enumerate(tenants):
            fill(tenant_id, 50 - number)
        taken = Counter(row.tenant_id for row in claiming.claim(limit=20))
        assert taken == dict.fromkeys(tenants, 2)

    def test_an_urgent_row_goes_before_a_bulk_one(self, tenant: Tenant, other_tenant: Tenant) -> None:
        fill(tenant.id, 100, queue=OutboxRow.Queue.BULK)
        fill(other_tenant.id, 2, queue=OutboxRow.Queue.URGENT)
        first = claiming.claim(limit=2)
        assert {row.tenant_id for row in first} == {other_tenant.id}

    def test_requests_have_a_lane_of_their_own(self, tenant: Tenant) -> None:
        fill(tenant.id, 100)
        OutboxRow.objects.create(tenant_id=None, entry_id=uuid4(), key="asked", reaction="asked", payload=b"")
        first = claiming.claim(limit=10, now=timezone.now() + timedelta(seconds=1))
        assert Counter(row.tenant_id is None for row in first) == {True: 1, False: 9}

    def test_everything_is_taken_in_the_end_and_nothing_twice(self) -> None:
        for _ in range(3):
            fill(uuid4(), 40)
        taken: list[UUID] = []
        while rows := claiming.claim(limit=7):
            taken += [row.id for row in rows]
        assert len(taken) == len(set(taken)) == 120

    @pytest.mark.commits
    def test_dispatchers_at_once_share_a_backlog(self) -> None:
        for _ in range(4):
            fill(uuid4(), 50)
        taken = at_once(4, lambda _: [row.id for _ in range(4) for row in claiming.claim(limit=10)])
        ids = [row_id for part in taken.results for row_id in part]
        assert taken.most_at_once == 4
        assert len(ids) == len(set(ids))
        assert len(ids) >= 100

    def test_the_lanes_are_read_by_their_index(self) -> None:
        fill(uuid4(), 3000)
        fill(uuid4(), 3000)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE outbox_outboxrow")
            cursor.execute("EXPLAIN " + claiming._IN_TURNS, {"now": timezone.now(), "limit": 20, "nobody": NOBODY})
            plan = "\n".join(line for (line,) in cursor.fetchall())
        assert "outbox_lanes" in plan
        assert "Seq Scan on outbox_outboxrow" not in plan
