"""``/setup-hub/tasks/:taskCode`` and ``/setup-hub/complete``: what a person says, and what stands against it."""

from typing import Any

import pytest

from accounts.roles import Role
from accounts.tests.people import journal, somebody
from setup_hub.tests.support import Facts, install, look, say, says, seen, stored, task, task_of
from tests.support import Api, at_once, data, error


@pytest.fixture
def facts(monkeypatch: pytest.MonkeyPatch) -> Facts:
    """What the data say about the tasks that can be checked."""
    facts: Facts = {}
    install(
        monkeypatch,
        task("a.checked", check=says(facts, "a.checked")),
        task("a.told", order=20),
        task("a.nice", order=30, required=False, check=says(facts, "a.nice")),
        task("a.after", order=40, required=False, depends_on=("a.checked",)),
    )
    return facts


def test_a_task_without_a_check_is_done_when_somebody_says_so(alice: Api, facts: Facts) -> None:
    changed = data(say(alice, "a.told", "completed"))
    done = changed["task"]
    assert (done["status"], done["source"], done["autoDetected"]) == ("completed", "manual", False)
    assert done["completedBy"] == {
        "id": str(alice.user.uuid),
        "userId": alice.user.id,
        "displayName": alice.user.display_name,
    }
    assert done["completedAt"] is not None
    assert changed["progress"] == seen(alice)["progress"]
    assert task_of(alice, "a.told") == done


def test_all_methods_do_the_same(alice: Api, facts: Facts) -> None:
    for method, status in (("PATCH", "completed"), ("PUT", "pending"), ("POST", "in_progress")):
        changed = data(alice.call(method, "/setup-hub/tasks/a.told", {"status": status}))
        assert changed["task"]["status"] == status


def test_completing_what_the_data_deny_is_refused(alice: Api, facts: Facts) -> None:
    refused = say(alice, "a.checked", "completed")
    assert error(refused) == (409, "check_failed")
    assert refused.json()["error"]["context"] == {"detail": "it is False"}
    assert task_of(alice, "a.checked")["status"] == "pending"
    assert "a.checked" not in stored(alice.tenant)


def test_who_insists_is_believed_and_no_check_takes_it_back(alice: Api, facts: Facts) -> None:
    done = data(say(alice, "a.checked", "completed", force=True, reason="We have it elsewhere."))["task"]
    assert (done["status"], done["source"], done["reason"]) == ("completed", "manual", "We have it elsewhere.")
    assert look(alice)["changed"] == []
    assert task_of(alice, "a.checked")["status"] == "completed"
    (entry,) = journal(alice.tenant, "setup_hub.task_changed")
    assert entry.data == {"from": "pending", "to": "completed", "forced": True, "reason": "We have it elsewhere."}
    assert entry.actor_id == alice.user.uuid


def test_completing_what_the_data_confirm_needs_no_force(alice: Api, facts: Facts) -> None:
    facts["a.checked"] = True
    done = data(say(alice, "a.checked", "completed"))["task"]
    assert (done["status"], done["source"], done["detail"]) == ("completed", "manual", "it is True")


def test_a_check_that_breaks_confirms_nothing(alice: Api, facts: Facts) -> None:
    facts["a.checked"] = RuntimeError("secret words")
    refused = say(alice, "a.checked", "completed")
    assert error(refused) == (409, "check_failed")
    assert refused.json()["error"]["context"] == {"checkError": "failed"}
    assert b"secret words" not in refused.content
    assert data(say(alice, "a.checked", "completed", force=True))["task"]["status"] == "completed"


def test_a_task_waits_for_those_before_it(alice: Api, facts: Facts) -> None:
    for status in ("completed", "in_progress"):
        refused = say(alice, "a.after", status, force=True)
        assert error(refused) == (409, "task_blocked")
        assert refused.json()["error"]["context"] == {"blockedBy": ["a.checked"]}
    # To skip it nothing has to come before.
    assert data(say(alice, "a.after", "skipped"))["task"]["status"] == "skipped"
    facts["a.checked"] = True
    look(alice)
    assert data(say(alice, "a.after", "completed"))["task"]["status"] == "completed"


def test_what_is_required_cannot_be_skipped(alice: Api, facts: Facts) -> None:
    assert error(say(alice, "a.told", "skipped")) == (422, "required_task_cannot_be_skipped")
    assert data(say(alice, "a.nice", "skipped", reason="Not for us."))["task"]["reason"] == "Not for us."


def test_what_is_skipped_stays_so_whatever_the_data_say(alice: Api, facts: Facts) -> None:
    say(alice, "a.nice", "skipped")
    facts["a.nice"] = True
    assert look(alice)["changed"] == []
    assert task_of(alice, "a.nice")["status"] == "skipped"


def test_a_task_can_be_opened_again(alice: Api, facts: Facts) -> None:
    say(alice, "a.told", "completed", reason="Done.")
    again = data(say(alice, "a.told", "pending"))["task"]
    assert (again["status"], again["completedAt"], again["completedBy"], again["reason"]) == (
        "pending",
        None,
        None,
        None,
    )


def test_saying_the_same_again_changes_nothing(alice: Api, facts: Facts) -> None:
    first = data(say(alice, "a.told", "completed"))
    second = data(say(alice, "a.told", "completed", reason="Another one."))
    assert second == first
    assert data(say(alice, "a.nice", "pending"))["task"]["status"] == "pending"
    assert len(journal(alice.tenant, "setup_hub.task_changed")) == 1


def test_a_tick_of_the_data_stays_the_datas_when_a_person_repeats_it(alice: Api, facts: Facts) -> None:
    facts["a.checked"] = True
    look(alice)
    assert data(say(alice, "a.checked", "completed"))["task"]["source"] == "auto"


@pytest.mark.parametrize("code", ["a.unknown", "a", "x" * 300, "A.CHECKED"])
def test_an_unknown_task_is_not_found(alice: Api, facts: Facts, code: str) -> None:
    assert error(say(alice, code, "completed")) == (404, "unknown_task")


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "status", "required"),
        ({"status": "done"}, "status", "invalid_choice"),
        ({"status": None}, "status", "null"),
        ({"status": "pending", "force": "yes"}, "force", "invalid"),
        ({"status": "pending", "reason": "x" * 501}, "reason", "max_length"),
        ({"status": "pending", "source": "auto"}, "source", "unknown_field"),
    ],
)
def test_a_wrong_body_is_refused_field_by_field(alice: Api, body: Any, field: str, code: str) -> None:
    refused = alice.call("PATCH", "/setup-hub/tasks/chat.first_channel", body)
    assert error(refused) == (400, "validation_failed")
    assert [(one["field"], one["code"]) for one in refused.json()["error"]["details"]] == [(field, code)]


def test_completing_needs_all_that_is_required(alice: Api, facts: Facts) -> None:
    refused = alice.post("/setup-hub/complete")
    assert error(refused) == (409, "required_tasks_incomplete")
    assert refused.json()["error"]["context"] == {"missing": ["a.checked", "a.told"]}
    assert seen(alice)["completedAt"] is None
    assert journal(alice.tenant, "setup_hub.completed") == []


def test_the_set_up_ends_once(alice: Api, tenant: Any, facts: Facts) -> None:
    facts["a.checked"] = True
    look(alice)
    assert seen(alice)["canComplete"] is False
    say(alice, "a.told", "completed")
    assert seen(alice)["canComplete"] is True
    done = data(alice.post("/setup-hub/complete"))
    assert done["status"] == "completed"
    assert done["completedBy"]["userId"] == alice.user.id
    # Optional ones are left: it is complete all the same.
    assert done["progress"]["percent"] == 50
    other = somebody(tenant, "carol", Role.TENANT_ADMIN)
    for person, method in ((alice, "POST"), (other, "PUT"), (other, "PATCH")):
        again = data(person.call(method, "/setup-hub/complete", {}))
        assert (again["completedAt"], again["completedBy"]) == (done["completedAt"], done["completedBy"])
    (entry,) = journal(alice.tenant, "setup_hub.completed")
    assert (entry.actor_id, entry.data) == (alice.user.uuid, {"percent": 50})


def test_required_tasks_that_come_later_do_not_undo_the_end(
    alice: Api, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(alice, "a.told", "completed")
    say(alice, "a.checked", "completed", force=True)
    done = data(alice.post("/setup-hub/complete"))
    assert done["newTasks"] == []
    install(monkeypatch, task("a.told"), task("z.new"))
    later = seen(alice)
    assert (later["status"], later["completedAt"]) == ("completed", done["completedAt"])
    assert (later["newTasks"], later["nextTask"], later["canComplete"]) == (["z.new"], "z.new", False)
    assert data(alice.post("/setup-hub/complete"))["completedAt"] == done["completedAt"]


def test_the_audit_log_tells_who_did_what(alice: Api, facts: Facts) -> None:
    say(alice, "a.told", "completed")
    say(alice, "a.checked", "completed", force=True)
    alice.post("/setup-hub/complete")
    keys = [entry["key"] for entry in data(alice.get("/audit"))]
    assert keys[:3] == ["setup_hub.completed", "setup_hub.task_changed", "setup_hub.task_changed"]


@pytest.mark.commits
def test_of_many_who_end_it_one_does(alice: Api) -> None:
    tasks = [one["code"] for one in seen(alice)["tasks"] if one["required"]]
    for code in tasks:
        data(say(alice, code, "completed", force=True))
    ended = at_once(6, lambda _: data(alice.post("/setup-hub/complete")))
    assert ended.most_at_once > 1
    assert len({one["completedAt"] for one in ended.results}) == 1
    assert len(journal(alice.tenant, "setup_hub.completed")) == 1


@pytest.mark.commits
def test_of_many_who_change_a_task_each_is_told_what_came_of_it(alice: Api) -> None:
    """One row, no error, and the journal is a chain: each change begins where the one before it ended."""
    wanted = ["completed", "skipped", "pending", "in_progress"]

    def change(number: int) -> Any:
        status = wanted[number % 4]
        return status, data(say(alice, "tenancy.company_profile", status, force=True))["task"]["status"]

    done = at_once(12, change)
    assert done.most_at_once > 1
    assert all(asked == got for asked, got in done.results)
    assert list(stored(alice.tenant)) == ["tenancy.company_profile"]
    chain = [(entry.data["from"], entry.data["to"]) for entry in journal(alice.tenant, "setup_hub.task_changed")]
    assert [before for before, _ in chain] == ["pending", *(after for _, after in chain[:-1])]
    assert chain[-1][1] == task_of(alice, "tenancy.company_profile")["status"]
