"""Journal, reactions and the dispatcher."""

import threading
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from platform_site.binding import BindingError, bind, bound_tenant
from platform_site.errors import CONFLICT, PlatformError
from platform_site.journal.keys import journal_key
from platform_site.journal.models import JournalEntry
from platform_site.journal.services import record
from platform_site.outbox import claiming, dispatcher
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.registry import reaction, request_kind
from platform_site.outbox.services import enqueue_request, redrive
from tenancy.models import Tenant
from tests.support import at_once, finishes_before_kill

HAPPENED = journal_key("tests.something_happened", "A test did something")
OUTSIDE = journal_key("tests.something_outside", "A test touched the world")

calls: list[str] = []
behaviour: dict[str, object] = {}


@reaction(to=HAPPENED)
def add_a_letter(entry: JournalEntry) -> None:
    """The effect: one letter behind the last name, so that a repeat would show."""
    calls.append("letter")
    user = User.objects.select_for_update().get(pk=1)
    User.objects.filter(pk=1).update(last_name=user.last_name + "x")
    wait = behaviour.get("wait")
    if isinstance(wait, threading.Event):
        started = behaviour["started"]
        assert isinstance(started, threading.Event)
        started.set()
        wait.wait(10)
    error = behaviour.get("error")
    if isinstance(error, Exception):
        raise error


@reaction(to=OUTSIDE, outside=True)
def touch_the_world(entry: JournalEntry) -> None:
    calls.append("in transaction" if connection.in_atomic_block else "no transaction")


served: list[tuple[UUID, dict[str, Any], Any]] = []


@request_kind("tests.asked")
def serve(request_id: UUID, payload: dict[str, Any]) -> None:
    served.append((request_id, payload, bound_tenant()))
    error = behaviour.get("error")
    if isinstance(error, Exception):
        raise error


@pytest.fixture(autouse=True)
def _fresh() -> None:
    calls.clear()
    served.clear()
    behaviour.clear()


def happen(tenant: Tenant, key: object = HAPPENED) -> JournalEntry:
    with bind(tenant.ref), transaction.atomic():
        return record(key, subject=("user", 1), data={"password": "p", "deep": {"apiKey": "k"}, "n": 1})  # type: ignore[arg-type]


def letters(tenant: Tenant) -> str:
    with bind(tenant.ref):
        return User.objects.get(pk=1).last_name


def only_ours() -> None:
    OutboxRow.objects.exclude(reaction__startswith="platform_site.tests").delete()


@pytest.fixture
def tenant(tenant: Tenant) -> Tenant:
    only_ours()
    return tenant


def test_an_entry_is_masked_by_name(tenant: Tenant) -> None:
    entry = happen(tenant)
    assert entry.data == {"password": "***", "deep": {"apiKey": "***"}, "n": 1}


@pytest.mark.commits
def test_recording_outside_a_transaction_is_refused(tenant: Tenant) -> None:
    with bind(tenant.ref), pytest.raises(BindingError):
        record(HAPPENED)


def test_recording_without_a_tenant_is_refused(database: None) -> None:
    with pytest.raises(BindingError):
        record(HAPPENED)


def test_the_outbox_row_holds_ids_only(tenant: Tenant) -> None:
    entry = happen(tenant)
    row = OutboxRow.objects.values().get()
    assert (row["entry_id"], row["tenant_id"], row["key"]) == (entry.id, tenant.id, HAPPENED.key)
    assert set(row) == {
        "id", "tenant_id", "entry_id", "key", "reaction", "state", "attempts", "available_at", "claim", "last_error",
        "created_at", "payload", "queue",
    }  # fmt: skip
    assert row["payload"] is None


def test_a_rolled_back_fact_has_no_reaction(tenant: Tenant) -> None:
    def record_and_fail() -> None:
        record(HAPPENED)
        raise ZeroDivisionError

    with bind(tenant.ref), pytest.raises(ZeroDivisionError), transaction.atomic():
        record_and_fail()
    assert not OutboxRow.objects.exists()


def test_the_reaction_runs_once_and_the_row_is_gone(tenant: Tenant) -> None:
    happen(tenant)
    assert dispatcher.drain() == 1
    assert letters(tenant) == "x"
    assert not OutboxRow.objects.exists()
    assert dispatcher.drain() == 0


def test_a_reaction_runs_in_the_tenant_of_its_entry(tenant: Tenant, other_tenant: Tenant) -> None:
    happen(other_tenant)
    dispatcher.drain()
    assert (letters(tenant), letters(other_tenant)) == ("", "x")


def test_a_failure_undoes_the_effect_and_comes_back_later(tenant: Tenant) -> None:
    behaviour["error"] = ValueError("admin@acme.test is in this text")
    happen(tenant)
    dispatcher.drain()
    assert letters(tenant) == ""
    row = OutboxRow.objects.get()
    assert (row.state, row.attempts, row.last_error) == ("pending", 1, "ValueError")
    assert timedelta(seconds=11) < row.available_at - timezone.now() < timedelta(seconds=19)
    assert dispatcher.drain() == 0
    behaviour.clear()
    dispatcher.run_once(now=timezone.now() + timedelta(seconds=20))
    assert letters(tenant) == "x"


def test_an_error_of_the_registry_is_named_by_its_code(tenant: Tenant) -> None:
    behaviour["error"] = PlatformError(CONFLICT)
    happen(tenant)
    dispatcher.drain()
    assert OutboxRow.objects.get().last_error == "PlatformError:conflict"


def test_ten_attempts_take_about_two_hours() -> None:
    waits = [dispatcher.backoff(attempt).total_seconds() for attempt in range(1, dispatcher.MAX_ATTEMPTS)]
    assert 11 < waits[0] < 19
    assert max(waits) <= 1.25 * dispatcher.LONGEST_RETRY_SECONDS
    assert 1.5 * 3600 < sum(waits) < 2.7 * 3600


def test_after_ten_attempts_it_rests_as_a_dead_letter(tenant: Tenant) -> None:
    behaviour["error"] = ValueError()
    happen(tenant)
    for days in range(1, 13):
        dispatcher.run_once(now=timezone.now() + timedelta(days=days))
    row = OutboxRow.objects.get()
    assert (row.state, row.attempts, len(calls)) == ("dead", 10, 10)
    behaviour.clear()
    assert redrive(tenant_id=tenant.id) == 1
    dispatcher.drain()
    assert letters(tenant) == "x"


def test_one_bad_reaction_does_not_stop_the_others(tenant: Tenant, other_tenant: Tenant) -> None:
    OutboxRow.objects.create(tenant_id=tenant.id, entry_id=tenant.id, key="gone", reaction="no.such.reaction")
    happen(other_tenant)
    dispatcher.drain()
    assert letters(other_tenant) == "x"
    assert OutboxRow.objects.get().last_error == "UnknownEntry"


@pytest.mark.commits
def test_a_reaction_outside_runs_in_no_transaction(tenant: Tenant) -> None:
    happen(tenant, OUTSIDE)
    dispatcher.drain()
    assert calls == ["no transaction"]
    assert not OutboxRow.objects.exists()


def test_a_suspended_tenants_work_is_parked(tenant: Tenant) -> None:
    from platform_site.outbox.services import unpark

    happen(tenant)
    Tenant.objects.filter(pk=tenant.pk).update(status="suspended")
    dispatcher.drain()
    row = OutboxRow.objects.get()
    assert (row.state, row.attempts, calls) == ("parked", 0, [])
    Tenant.objects.filter(pk=tenant.pk).update(status="active")
    assert unpark(tenant_id=tenant.id) == 1
    dispatcher.drain()
    assert letters(tenant) == "x"


def test_work_of_a_tenant_that_is_gone_is_dead(tenant: Tenant) -> None:
    happen(tenant)
    OutboxRow.objects.update(tenant_id=JournalEntry._meta.pk.get_default())
    dispatcher.drain()
    assert OutboxRow.objects.get().state == "dead"


def test_an_idle_look_costs_one_query_whatever_the_number_of_tenants(
    tenant: Tenant, django_assert_num_queries: object
) -> None:
    connection.ensure_connection()
    Tenant.objects.count()
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert dispatcher.run_once() == 0


@pytest.mark.commits
class TestLease:
    def test_a_claimed_row_is_nobody_elses_until_the_lease_ends(self, tenant: Tenant) -> None:
        happen(tenant)
        (first,) = claiming.claim()
        assert claiming.claim() == []
        (second,) = claiming.claim(now=timezone.now() + claiming.LEASE + timedelta(seconds=1))
        assert second.id == first.id
        assert second.claim != first.claim

    def test_eight_dispatchers_share_forty_rows_and_take_none_twice(self, tenant: Tenant) -> None:
        for _ in range(40):
            happen(tenant)
        taken = at_once(8, lambda _: [row.id for _ in range(3) for row in claiming.claim(limit=3)])
        ids = [row for result in taken.results for row in result]
        assert taken.most_at_once > 1
        assert len(ids) == len(set(ids)) == 40

    def test_a_runner_that_lost_its_lease_changes_nothing(self, tenant: Tenant) -> None:
        happen(tenant)
        (late,) = claiming.claim()
        (owner,) = claiming.claim(now=timezone.now() + claiming.LEASE + timedelta(seconds=1))
        dispatcher.run(late)
        assert letters(tenant) == ""
        dispatcher.run(owner)
        assert letters(tenant) == "x"

    def test_while_one_runs_a_second_dispatcher_leaves_it_alone(self, tenant: Tenant) -> None:
        behaviour["wait"], behaviour["started"] = threading.Event(), threading.Event()
        happen(tenant)

        def work(number: int) -> int:
            if number == 0:
                return dispatcher.drain()
            started, wait = behaviour["started"], behaviour["wait"]
            assert isinstance(started, threading.Event)
            assert isinstance(wait, threading.Event)
            assert started.wait(10)
            try:
                return dispatcher.drain()
            finally:
                wait.set()

        done = at_once(2, work)
        assert (done.results, done.most_at_once) == ([1, 0], 2)
        assert calls == ["letter"]
        assert letters(tenant) == "x"


DISPATCH = """
    import platform_site.tests.test_outbox
    from platform_site.outbox import claiming, dispatcher
    dispatcher.drain()
"""


@pytest.mark.commits
@pytest.mark.timeout(300)
def test_a_reaction_killed_at_any_point_runs_again_and_its_effect_happens_once(tenant: Tenant, committed: str) -> None:
    happen(tenant)
    steps = 0
    while OutboxRow.objects.exists():
        assert letters(tenant) == ""
        # The lease of the dead runner is over, and it had no more than one attempt.
        OutboxRow.objects.update(available_at=timezone.now(), attempts=0)
        finishes_before_kill(DISPATCH, statement=steps, database=committed)
        steps += 1
    assert steps > 6
    assert letters(tenant) == "x"


class TestRequests:
    """What somebody who is not signed in asked for: kept sealed, served outside of any tenant."""

    def test_it_is_served_once_without_a_tenant(self, database: None) -> None:
        request_id = enqueue_request(kind="tests.asked", payload={"email": "ann@acme.test"})
        dispatcher.drain()
        assert served == [(request_id, {"email": "ann@acme.test"}, None)]
        assert not OutboxRow.objects.filter(id=request_id).exists()

    def test_what_was_asked_cannot_be_read_in_the_table(self, database: None) -> None:
        request_id = enqueue_request(kind="tests.asked", payload={"email": "ann@acme.test"})
        row = OutboxRow.objects.values().get(id=request_id)
        assert row["tenant_id"] is None
        assert "ann" not in str({**row, "payload": bytes(row["payload"] or b"")})

    def test_a_failure_keeps_it_for_later_under_the_same_id(self, database: None) -> None:
        behaviour["error"] = OSError("the mail server is away")
        enqueue_request(kind="tests.asked", payload={})
        dispatcher.drain()
        behaviour.clear()
        dispatcher.run_once(now=timezone.now() + timedelta(minutes=1))
        assert len(served) == 2
        assert len({request_id for request_id, _, _ in served}) == 1
        assert not OutboxRow.objects.filter(tenant_id=None).exists()
