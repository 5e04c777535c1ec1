"""``GET /setup-hub``: an honest percentage, and what everybody may see."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.tests.people import queries_of
from chat.tests.support import group
from platform_site.setup_tasks import SetupTask, setup_task, setup_tasks
from setup_hub.models import TaskState
from setup_hub.progress import counts_as_done, progress_of
from setup_hub.tests.support import install, look, say, seen, statuses, task, task_of
from tests.support import Api

# What is there without billing, which may be installed or not.
OURS = [
    "accounts.verify_email",
    "tenancy.company_profile",
    "accounts.invite_team",
    "notifications.sender",
    "notifications.smtp_tested",
    "notifications.domain_records",
    "chat.first_channel",
    "registry.first_record",
    "events.first_event",
]


def test_all_apps_contribute_their_tasks() -> None:
    assert set(OURS) <= {one.code for one in setup_tasks}
    assert {one.app for one in setup_tasks} >= {"accounts", "tenancy", "notifications", "chat", "registry", "events"}


def test_every_dependency_is_there_and_comes_earlier() -> None:
    by_code = {one.code: one for one in setup_tasks}
    for one in setup_tasks:
        for before in one.depends_on:
            assert by_code[before].order < one.order, one.code


def test_a_fresh_workspace_has_everything_before_it(alice: Api) -> None:
    shown = seen(alice)
    assert shown["status"] == "not_started"
    assert (shown["completedAt"], shown["completedBy"], shown["newTasks"]) == (None, None, [])
    assert shown["canComplete"] is False
    assert shown["nextTask"] == "accounts.verify_email"
    assert set(statuses(alice).values()) == {"pending"}
    required = [one["code"] for one in shown["tasks"] if one["required"]]
    assert shown["progress"] == {
        "percent": 0,
        "completed": 0,
        "skipped": 0,
        "total": len(shown["tasks"]),
        "requiredRemaining": len(required),
    }
    # Without a domain of the company's own there are no records to look at.
    assert "notifications.domain_records" not in statuses(alice)


def test_tasks_come_in_their_order(alice: Api) -> None:
    orders = [(one["order"], one["code"]) for one in seen(alice)["tasks"]]
    assert orders == sorted(orders)


def test_members_see_how_far_it_is_but_not_where_to_go(alice: Api, bob: Api) -> None:
    assert task_of(alice, "accounts.invite_team")["actionUrl"] == "/users"
    theirs, ours = seen(bob), seen(alice)
    assert {one["actionUrl"] for one in theirs["tasks"]} == {None}
    assert theirs["progress"] == ours["progress"]
    assert statuses(bob) == statuses(alice)


def test_reading_writes_nothing_and_checks_nothing(alice: Api, bob: Api, tenant: Any) -> None:
    with CaptureQueriesContext(connection) as captured:
        seen(alice)
    assert not [one["sql"] for one in captured if one["sql"].lstrip().startswith(("INSERT", "UPDATE", "DELETE"))]
    assert task_of(alice, "accounts.invite_team")["lastCheckedAt"] is None


def test_it_takes_as_many_queries_at_the_end_as_at_the_beginning(alice: Api, bob: Api) -> None:
    fresh = queries_of(alice, "/setup-hub")
    group(alice, bob.user)
    look(alice)
    for one in seen(alice)["tasks"]:
        say(alice, one["code"], "completed", force=True)
    assert queries_of(alice, "/setup-hub") == fresh
    with CaptureQueriesContext(connection) as full:
        seen(alice)
    # The set-up and its tasks; the others are about the session, and whether there is a domain.
    assert len([one["sql"] for one in full if "setup_hub_" in one["sql"]]) == 2


def test_the_percentage_goes_by_weight_and_is_rounded_down(alice: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, task("a.one", weight=2), task("a.two", weight=1), task("b.one", required=False, weight=4))
    assert seen(alice)["progress"]["percent"] == 0
    say(alice, "a.one", "completed")
    assert seen(alice)["progress"]["percent"] == 28
    say(alice, "b.one", "skipped")
    assert seen(alice)["progress"] == {
        "percent": 85,
        "completed": 1,
        "skipped": 1,
        "total": 3,
        "requiredRemaining": 1,
    }
    say(alice, "a.two", "completed")
    assert seen(alice)["progress"]["percent"] == 100


def test_it_is_never_a_hundred_while_something_required_is_open() -> None:
    """Whatever the weights: 999 of 1000 is 99."""
    tasks = [task("a.big", weight=999), task("a.small", weight=1)]
    done = {"a.big": TaskState(code="a.big", status="completed")}
    assert progress_of(tasks, done).percent == 99
    assert progress_of(tasks, done).missing == ["a.small"]


def test_a_task_that_was_skipped_before_it_was_required_is_not_done() -> None:
    states = {"a.one": TaskState(code="a.one", status="skipped")}
    assert counts_as_done(task("a.one", required=False), states)
    assert not counts_as_done(task("a.one"), states)
    assert progress_of([task("a.one")], states).percent == 0


def test_nothing_to_set_up_is_all_set_up(alice: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    shown = seen(alice)
    assert (shown["progress"]["percent"], shown["canComplete"], shown["nextTask"]) == (100, True, None)


def test_the_next_task_is_required_and_has_nothing_before_it(alice: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    install(
        monkeypatch,
        task("a.nice", required=False, order=1),
        task("a.late", order=2, depends_on=("a.first",)),
        task("a.first", order=3),
    )
    assert seen(alice)["nextTask"] == "a.first"
    assert task_of(alice, "a.late")["blockedBy"] == ["a.first"]
    say(alice, "a.first", "completed")
    assert (seen(alice)["nextTask"], task_of(alice, "a.late")["blockedBy"]) == ("a.late", [])
    say(alice, "a.late", "completed")
    assert seen(alice)["nextTask"] == "a.nice"
    say(alice, "a.nice", "skipped")
    assert seen(alice)["nextTask"] is None


def test_a_task_of_an_app_that_is_gone_counts_no_more_and_comes_back_as_it_was(
    alice: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = task("a.one"), task("b.one", required=False)
    install(monkeypatch, *both)
    say(alice, "b.one", "skipped", reason="Later.")
    assert (seen(alice)["progress"]["percent"], seen(alice)["progress"]["total"]) == (50, 2)
    install(monkeypatch, both[0])
    assert statuses(alice) == {"a.one": "pending"}
    assert (seen(alice)["progress"]["percent"], seen(alice)["progress"]["total"]) == (0, 1)
    assert say(alice, "b.one", "pending").json()["error"]["code"] == "unknown_task"
    install(monkeypatch, *both)
    back = task_of(alice, "b.one")
    assert (back["status"], back["reason"], back["completedBy"]["userId"]) == ("skipped", "Later.", alice.user.id)


def test_a_task_that_does_not_apply_is_not_there(alice: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, task("a.one"), task("b.one", applies=lambda: False), task("c.one", depends_on=("b.one",)))
    assert list(statuses(alice)) == ["a.one", "c.one"]
    # What is not there stands in nobody's way.
    assert task_of(alice, "c.one")["blockedBy"] == []


def test_a_task_that_cannot_say_whether_it_applies_does(alice: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> bool:
        raise RuntimeError("no")

    install(monkeypatch, task("a.one", applies=broken))
    assert statuses(alice) == {"a.one": "pending"}


def test_nobody_sees_somebody_elses_set_up(alice: Api, mallory: Api) -> None:
    say(alice, "chat.first_channel", "skipped")
    assert statuses(alice)["chat.first_channel"] == "skipped"
    assert set(statuses(mallory).values()) == {"pending"}


def test_a_task_that_could_not_work_stops_the_start() -> None:
    for wrong in (
        task("no_app"),
        task("A.one"),
        task(f"a.{'x' * 90}"),
        task("a.one", weight=0),
        task("a.one", min_role="owner"),
        task("a.one", depends_on=("a.one",)),
    ):
        with pytest.raises(ValueError, match="cannot be a set-up task"):
            setup_task(wrong)
    assert isinstance(setup_tasks.get("accounts.verify_email"), SetupTask)
