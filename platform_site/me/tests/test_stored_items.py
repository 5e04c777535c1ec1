"""Items that modules of the product put: once under their key, for one or several, and done once for all."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import CustomProfile
from accounts.profiles import SYSTEM_PROFILES
from accounts.roles import Role
from accounts.tests.people import journal, key_of, somebody
from notifications.tests.support import listening
from platform_site.binding import bind
from platform_site.me.catalog import ITEMS_WRITE
from platform_site.me.models import StoredItem
from platform_site.me.retention import KEEP, retain
from platform_site.me.tests.support import TITLE, give, items, put, tasks_counted, waiting
from platform_site.outbox import dispatcher
from platform_site.permissions import permissions
from tests.support import Api, at_once, data, error


@pytest.fixture
def module(alice: Api) -> Api:
    """A module of the product, with a key for this and nothing else."""
    return key_of(alice, "action_items.write")


def close(sender: Api, key: str) -> Any:
    return sender.call("DELETE", f"/action-items/sales/{key}")


def done(person: Api, item_id: str) -> Any:
    return person.post(f"/me/action-items/{item_id}/done")


def test_a_module_gives_somebody_something_to_do(module: Api, bob: Api, alice: Api) -> None:
    due = "2031-01-02T03:04:05.000Z"
    made = give(module, "lead-42", bob, url="/sales/leads/42", priority="high", dueAt=due, type="call_back")
    assert made == {
        "id": made["id"],
        "app": "sales",
        "key": "lead-42",
        "type": "call_back",
        "title": TITLE,
        "url": "/sales/leads/42",
        "priority": "high",
        "dueAt": due,
        "entity": None,
        "state": "open",
        "closedAt": None,
        "createdAt": made["createdAt"],
    }
    (item,) = items(bob)
    same = ("id", "app", "type", "title", "url", "priority", "dueAt", "entity", "createdAt")
    assert item == {**{name: made[name] for name in same}, "source": "tasks", "state": "open"}
    assert items(alice) == []


def test_people_are_named_by_number_or_by_id(module: Api, bob: Api) -> None:
    give(module, "one", bob)
    data(put(module, "two", assignee=str(bob.user.uuid)), 201)
    assert len(items(bob)) == 2


def test_putting_the_same_again_changes_nothing(module: Api, bob: Api) -> None:
    first = give(module, "lead-42", bob)
    assert data(put(module, "lead-42", assignee=bob.user.id)) == first
    assert len(items(bob)) == 1
    assert len(journal(bob.tenant, "action_items.put")) == 1


def test_putting_something_else_changes_it(module: Api, bob: Api, alice: Api) -> None:
    first = give(module, "lead-42", bob, priority="high")
    changed = data(put(module, "lead-42", assignee=alice.user.id, title="Write to her"))
    assert (changed["id"], changed["title"], changed["priority"]) == (first["id"], "Write to her", "normal")
    assert (items(bob), len(items(alice))) == ([], 1)


def test_whoever_did_it_is_done_with_it(module: Api, bob: Api) -> None:
    made = give(module, "lead-42", bob)
    answer = data(done(bob, made["id"]))
    assert (answer["state"], answer["closedAt"] is not None) == ("done", True)
    assert data(done(bob, made["id"])) == answer
    assert (items(bob), tasks_counted(bob)) == ([], 0)
    (entry,) = journal(bob.tenant, "action_items.closed")
    assert (entry.actor_id, entry.data["how"]) == (bob.user.uuid, "done")
    # The module repeats itself: that is no reason to do it again.
    assert data(put(module, "lead-42", assignee=bob.user.id))["state"] == "done"
    # It wants something else: that is.
    assert data(put(module, "lead-42", assignee=bob.user.id, title="Again"))["state"] == "open"
    assert len(items(bob)) == 1


def test_a_module_takes_back_what_it_wants_no_longer(module: Api, bob: Api) -> None:
    give(module, "lead-42", bob)
    taken = data(close(module, "lead-42"))
    assert taken["state"] == "withdrawn"
    assert data(close(module, "lead-42")) == taken
    assert items(bob) == []
    # It took it back itself, so the same again is wanted again.
    assert data(put(module, "lead-42", assignee=bob.user.id))["state"] == "open"
    assert len(items(bob)) == 1


def test_what_was_done_stays_done_when_it_is_taken_back(module: Api, bob: Api) -> None:
    made = give(module, "lead-42", bob)
    data(done(bob, made["id"]))
    assert data(close(module, "lead-42"))["state"] == "done"


def test_nobody_does_somebody_elses_items(module: Api, alice: Api, bob: Api, mallory: Api) -> None:
    made = give(module, "lead-42", bob)
    for other in (alice, mallory):
        assert error(done(other, made["id"])) == (404, "not_found")
    assert error(done(bob, str(uuid4()))) == (404, "not_found")
    assert error(close(mallory, "lead-42")) == (404, "not_found")
    assert error(close(module, "never")) == (404, "not_found")
    assert len(items(bob)) == 1


def test_an_item_for_a_role_is_for_those_above_it_too(module: Api, tenant: Any, alice: Api, bob: Api) -> None:
    manager = somebody(tenant, "mona", Role.MANAGER)
    data(put(module, "admins", role="tenant_admin"), 201)
    data(put(module, "managers", role="manager"), 201)
    data(put(module, "all", role="user"), 201)
    assert [len(items(person)) for person in (alice, manager, bob)] == [3, 2, 1]


def test_one_who_does_it_does_it_for_all(module: Api, tenant: Any, alice: Api) -> None:
    manager = somebody(tenant, "mona", Role.MANAGER)
    made = data(put(module, "any", permission="users.invite"), 201)
    assert len(items(alice)) == len(items(manager)) == 1
    data(done(manager, made["id"]))
    assert items(alice) == items(manager) == []


def test_the_counter_says_the_same_as_the_list_for_everybody(module: Api, alice: Api, tenant: Any) -> None:
    """One is SQL for many people at once, the other goes by the rights of who asks."""
    custom = data(alice.post("/profiles", {"name": "Sales", "permissions": [1, 2, 50]}), 201)["id"]
    with bind(tenant.ref):
        off = CustomProfile.objects.create(id=900, name="Off", name_key="off", permissions=[1, 2, 50], is_active=False)
    people = {
        f"{role} {profile}": somebody(tenant, f"{role}-{profile}".replace("_", "-"), role, profile_id=profile)
        for role in Role
        for profile in (*SYSTEM_PROFILES, custom, off.id)
    }
    for one in permissions:
        data(put(module, one.key, permission=one.key), 201)
    for role in Role:
        data(put(module, f"role-{role.value.replace('_', '-')}", role=role.value), 201)
    for number, person in enumerate(people.values()):
        give(module, f"own-{number}", person)
    counted = {name: tasks_counted(person) for name, person in people.items()}
    assert counted == {name: waiting(person, "?source=tasks")["counts"]["total"] for name, person in people.items()}
    # They are not all the same, or this would show nothing.
    assert counted[f"{Role.TENANT_ADMIN} 1"] == len(permissions) + len(Role) + 1
    assert len(set(counted.values())) >= 5


def test_the_counter_knows_of_more_than_are_shown(module: Api, bob: Api, in_tenant: Any) -> None:
    StoredItem.objects.bulk_create(
        StoredItem(app="sales", key=str(number), assignee_id=bob.user.id, type="task", title="x", priority=1)
        for number in range(130)
    )
    assert len(items(bob, "?source=tasks&limit=100")) == 100
    assert waiting(bob)["counts"]["total"] == waiting(bob)["bySource"]["tasks"] + 1 == 131
    assert tasks_counted(bob) == 130


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, None, "one_audience"),
        ({"role": "user", "permission": "users.view"}, None, "one_audience"),
        ({"assignee": 987654}, "assignee", "unknown_assignee"),
        ({"permission": "users.eat"}, "permission", "unknown_audience"),
        ({"role": "owner"}, "role", "validation_failed"),
        ({"role": "user", "title": ""}, "title", "validation_failed"),
        ({"role": "user", "title": "x" * 201}, "title", "validation_failed"),
        ({"role": "user", "priority": "asap"}, "priority", "validation_failed"),
        ({"role": "user", "dueAt": "2031-01-02T03:04:05"}, "dueAt", "validation_failed"),
        ({"role": "user", "url": "javascript:alert(1)"}, "url", "validation_failed"),
        ({"role": "user", "url": "//evil.example"}, "url", "validation_failed"),
        ({"role": "user", "url": "/\\evil.example"}, "url", "validation_failed"),
        ({"role": "user", "url": "https://me@evil.example/"}, "url", "validation_failed"),
        ({"role": "user", "entity": {"canonicalId": str(uuid4())}}, "entity.canonicalId", "unknown_entity"),
        ({"role": "user", "type": "Two Words"}, "type", "validation_failed"),
    ],
)
def test_what_cannot_be_is_refused(module: Api, body: Any, field: str | None, code: str) -> None:
    refused = put(module, "lead-42", **body)
    assert error(refused) == (400, code)
    if field is not None:
        assert [one["field"] for one in refused.json()["error"]["details"]] == [field]


@pytest.mark.parametrize("key", ["a b", "ä", "x" * 129, "%2e%2e%00"])
def test_a_key_that_no_path_has_is_not_found(module: Api, bob: Api, key: str) -> None:
    assert put(module, key, assignee=bob.user.id).status_code == 404
    assert module.call("PUT", "/action-items/Sales/x", {"title": "x", "role": "user"}).status_code == 404


def test_a_web_address_of_another_place_may_be_its_url(module: Api, bob: Api) -> None:
    for number, url in enumerate(("https://crm.example/leads/42?x=1#y", "http://crm.example", "/leads")):
        assert give(module, str(number), bob, url=url)["url"] == url
    assert give(module, "none", bob, url="")["url"] is None


def test_who_cannot_sign_in_is_given_nothing(module: Api, alice: Api, bob: Api) -> None:
    data(alice.call("DELETE", f"/users/{bob.user.id}"))
    assert error(put(module, "x", assignee=bob.user.id)) == (400, "unknown_assignee")


def test_a_key_without_the_permission_may_not(alice: Api, bob: Api) -> None:
    other = key_of(alice, "users.view")
    assert error(put(other, "x", assignee=bob.user.id)) == (403, "permission_denied")
    assert ITEMS_WRITE.min_role == "manager"
    assert error(put(bob, "x", assignee=bob.user.id)) == (403, "permission_denied")


def test_an_item_about_a_record_goes_with_the_record(module: Api, alice: Api, bob: Api) -> None:
    entity = data(
        alice.post(
            "/entity-registry/register",
            {"name": "Jane Doe", "app": "sales", "entityType": "lead", "entityId": 42},
        ),
        201,
    )["canonicalId"]
    made = give(module, "lead-42", bob, entity={"canonicalId": entity})
    assert made["entity"] == items(bob)[0]["entity"] == {"canonicalId": entity}
    data(alice.call("DELETE", f"/entity-registry/{entity}", {"reason": "asked"}))
    dispatcher.drain()
    assert items(bob) == []
    assert error(put(module, "lead-43", assignee=bob.user.id, entity={"canonicalId": entity})) == (
        400,
        "unknown_entity",
    )


def test_who_is_deleted_leaves_no_items(module: Api, alice: Api, bob: Api, tenant: Any) -> None:
    give(module, "lead-42", bob)
    data(alice.call("DELETE", f"/users/{bob.user.id}"))
    assert alice.call("DELETE", f"/users/{bob.user.id}/permanent").status_code == 200
    dispatcher.drain()
    with bind(tenant.ref):
        assert not StoredItem.objects.exists()


def test_what_was_closed_long_ago_is_let_go(module: Api, bob: Api, in_tenant: Any) -> None:
    for key in ("old", "new"):
        data(done(bob, give(module, key, bob)["id"]))
    give(module, "open", bob)
    StoredItem.objects.filter(key="old").update(closed_at=timezone.now() - KEEP - timedelta(hours=1))
    assert retain(uuid4()) is not None
    assert set(StoredItem.objects.values_list("key", flat=True)) == {"new", "open"}
    StoredItem.objects.filter(key="new").delete()
    assert retain(uuid4()) is None


@pytest.mark.commits
def test_of_many_who_put_the_same_one_makes_it(alice: Api, bob: Api) -> None:
    answers = at_once(8, lambda _: put(alice, "lead-42", assignee=bob.user.id))
    assert answers.most_at_once > 1
    assert sorted(answer.status_code for answer in answers.results) == [200] * 7 + [201]
    assert len({answer.json()["data"]["id"] for answer in answers.results}) == 1
    assert len(journal(alice.tenant, "action_items.put")) == 1


@pytest.mark.commits
def test_sockets_are_told_to_count_anew(alice: Api, bob: Api, tenant: Any) -> None:
    with listening(tenant) as published:
        made = give(alice, "lead-42", bob)
        data(put(alice, "for-all", role="user"), 201)
        data(done(bob, made["id"]))
    counting = [header for header, _ in published if header["k"] == "count"]
    assert [header.get("to") for header in counting] == [[bob.user.id], None, [bob.user.id]]
