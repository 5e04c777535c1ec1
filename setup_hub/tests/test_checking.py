"""Auto-check: what the data say moves tasks, breaks nothing, and never takes back what a person said."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from accounts.tests.people import journal
from chat.tests.support import group
from platform_site.binding import bind
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from platform_site.setup_tasks import CheckResult
from setup_hub.services import checking
from setup_hub.services.checking import LOOK, setup_check
from setup_hub.services.checking import look as look_by_night
from setup_hub.tests.support import Facts, install, look, say, says, seen, statuses, stored, task, task_of
from tests.support import Api, at_once, data, error


@pytest.fixture
def facts(monkeypatch: pytest.MonkeyPatch) -> Facts:
    facts: Facts = {}
    codes = ("a.one", "a.two", "a.three")
    install(monkeypatch, *(task(code, check=says(facts, code)) for code in codes), task("a.told"))
    return facts


def test_the_data_move_tasks_forward_and_back(alice: Api, facts: Facts) -> None:
    facts.update({"a.one": True, "a.two": 0.5})
    looked = look(alice)
    assert looked["checked"] == 3
    assert looked["changed"] == [
        {"code": "a.one", "from": "pending", "to": "completed"},
        {"code": "a.two", "from": "pending", "to": "in_progress"},
    ]
    assert (looked["errors"], looked["progress"]) == ([], seen(alice)["progress"])
    one = task_of(alice, "a.one")
    assert (one["source"], one["autoDetected"], one["completedBy"]) == ("auto", True, None)
    assert (one["detail"], one["completedAt"] is not None, one["lastCheckedAt"] is not None) == (
        "it is True",
        True,
        True,
    )
    facts.clear()
    assert look(alice)["changed"] == [
        {"code": "a.one", "from": "completed", "to": "pending"},
        {"code": "a.two", "from": "in_progress", "to": "pending"},
    ]
    assert (task_of(alice, "a.one")["completedAt"], task_of(alice, "a.one")["autoDetected"]) == (None, False)
    assert look(alice)["changed"] == []
    moves = [(entry.subject_id, entry.data) for entry in journal(alice.tenant, "setup_hub.task_advanced")]
    assert moves[0] == ("a.one", {"from": "pending", "to": "completed"})
    assert len(moves) == 4


def test_no_tick_of_a_persons_is_taken_back(alice: Api, facts: Facts) -> None:
    say(alice, "a.one", "completed", force=True)
    say(alice, "a.two", "in_progress")
    assert look(alice)["changed"] == []
    assert statuses(alice) == {"a.one": "completed", "a.two": "in_progress", "a.three": "pending", "a.told": "pending"}
    # And forward they go all the same.
    facts["a.two"] = True
    assert look(alice)["changed"] == [{"code": "a.two", "from": "in_progress", "to": "completed"}]


def test_what_was_opened_again_is_done_again_when_the_data_say_so(alice: Api, facts: Facts) -> None:
    facts["a.one"] = True
    look(alice)
    say(alice, "a.one", "pending")
    assert look(alice)["changed"] == [{"code": "a.one", "from": "pending", "to": "completed"}]


def test_a_check_that_breaks_is_named_and_the_others_run(alice: Api, facts: Facts) -> None:
    facts.update({"a.one": True})
    look(alice)
    before = seen(alice)["progress"]
    facts.update({"a.one": RuntimeError("secret words"), "a.three": ValueError(), "a.two": True})
    answer = alice.post("/setup-hub/auto-check")
    looked = data(answer)
    assert looked["errors"] == [{"code": "a.one", "error": "failed"}, {"code": "a.three", "error": "failed"}]
    assert (looked["checked"], [move["code"] for move in looked["changed"]]) == (1, ["a.two"])
    assert b"secret words" not in answer.content
    # What broke moved nothing.
    assert task_of(alice, "a.one")["status"] == "completed"
    assert looked["progress"]["completed"] == before["completed"] + 1


def test_a_check_that_takes_too_long_is_not_waited_for(
    alice: Api, monkeypatch: pytest.MonkeyPatch, facts: Facts
) -> None:
    def sleep(seconds: float) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(%s)", [seconds])

    def one_statement() -> CheckResult:
        sleep(20)
        return CheckResult(True)

    def many_statements() -> CheckResult:
        for _ in range(100):
            sleep(0.15)
        return CheckResult(True)

    monkeypatch.setattr("setup_hub.selectors.BUDGET_MS", 300)
    install(
        monkeypatch,
        task("a.slow", check=one_statement),
        task("a.slower", check=many_statements),
        task("b.fine", check=lambda: CheckResult(True)),
    )
    began = time.monotonic()
    looked = look(alice)
    assert time.monotonic() - began < 5
    assert looked["errors"] == [{"code": "a.slow", "error": "timeout"}, {"code": "a.slower", "error": "timeout"}]
    assert statuses(alice) == {"a.slow": "pending", "a.slower": "pending", "b.fine": "completed"}


def test_a_check_cannot_write(alice: Api, bob: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def naughty() -> CheckResult:
        User.objects.filter(id=bob.user.id).update(first_name="Changed")
        return CheckResult(True)

    install(monkeypatch, task("a.one", check=naughty))
    assert look(alice)["errors"] == [{"code": "a.one", "error": "failed"}]
    with bind(alice.tenant.ref):
        assert User.objects.get(id=bob.user.id).first_name != "Changed"


def test_what_a_check_was_allowed_is_forgotten_afterwards(alice: Api, in_tenant: Any, facts: Facts) -> None:
    """Its time and that it may only read: whoever is in the same transaction goes on as before."""
    facts["a.two"] = RuntimeError()
    setup_check()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout'), current_setting('transaction_read_only')")
        assert cursor.fetchone() == ("8s", "off")
    User.objects.filter(id=alice.user.id).update(first_name="Written")


def test_somebody_is_asked_again_behind_the_lock(alice: Api, in_tenant: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The data changed between the check and the lock: what counts is how it is then."""
    answers = iter([CheckResult(True), CheckResult(False)])
    install(monkeypatch, task("a.one", check=lambda: next(answers)))
    assert setup_check().moves == []
    assert statuses(alice) == {"a.one": "pending"}


def test_looking_is_limited(alice: Api, facts: Facts) -> None:
    answers = [alice.post("/setup-hub/auto-check") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [200] * 6 + [429]
    assert error(answers[6]) == (429, "rate_limited")
    assert int(answers[6]["Retry-After"]) > 0
    assert answers[0]["RateLimit"].startswith('"setup_check_tenant"')


def test_a_fact_is_a_reason_to_check_at_once(alice: Api, bob: Api, tenant: Any) -> None:
    group(alice, bob.user)
    assert statuses(alice)["chat.first_channel"] == "pending"
    dispatcher.drain()
    channel = task_of(alice, "chat.first_channel")
    assert (channel["status"], channel["source"]) == ("completed", "auto")
    # Only that one was looked at.
    assert list(stored(tenant)) == ["chat.first_channel"]


def test_a_fact_can_also_take_back(alice: Api, bob: Api) -> None:
    look(alice)
    assert task_of(alice, "accounts.invite_team")["status"] == "completed"
    data(alice.call("DELETE", f"/users/{bob.user.id}"))
    dispatcher.drain()
    assert task_of(alice, "accounts.invite_team")["status"] == "pending"


def test_at_night_is_seen_what_no_fact_told(alice: Api, tenant: Any, facts: Facts) -> None:
    look(alice)
    row = OutboxRow.objects.get(reaction=LOOK)
    assert timedelta(hours=23) < row.available_at - timezone.now() < timedelta(hours=25)
    facts["a.one"] = True
    assert dispatcher.run_once(now=timezone.now() + timedelta(hours=26)) >= 1
    assert statuses(alice)["a.one"] == "completed"
    # And on it goes the night after.
    assert OutboxRow.objects.get(reaction=LOOK).available_at > row.available_at


def test_nobody_looks_any_more_once_the_set_up_is_complete(alice: Api, in_tenant: Any, facts: Facts) -> None:
    for code in ("a.one", "a.two", "a.three", "a.told"):
        say(alice, code, "completed", force=True)
    assert look_by_night(checking._THE_SETUP) is not None
    data(alice.post("/setup-hub/complete"))
    assert look_by_night(checking._THE_SETUP) is None


@pytest.mark.commits
def test_many_who_look_at_once_move_each_task_once(alice: Api, bob: Api, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "setup_check_tenant": (100, 60)}
    looked = at_once(6, lambda _: look(alice))
    assert looked.most_at_once > 1
    moved = [move["code"] for one in looked.results for move in one["changed"]]
    assert moved == ["accounts.invite_team"]
    assert len(journal(alice.tenant, "setup_hub.task_advanced")) == 1


@pytest.mark.commits
def test_a_person_and_a_check_at_once_never_lose_the_persons_word(alice: Api, bob: Api, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "setup_check_tenant": (100, 60)}

    def work(number: int) -> None:
        if number % 2:
            look(alice)
        else:
            data(say(alice, "notifications.smtp_tested", "skipped"))

    assert at_once(8, work).most_at_once > 1
    skipped = task_of(alice, "notifications.smtp_tested")
    assert (skipped["status"], skipped["source"]) == ("skipped", "manual")
