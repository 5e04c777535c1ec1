"""``/chat/users``: whom one can write to."""

import time
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import CustomProfile, User
from chat.tests.support import data, error, person
from platform_site import valkey
from platform_site.binding import bind
from platform_site.realtime.presence import online, presence_key
from tests.support import Api, signed_in


def picker(somebody: Api, query: str = "") -> list[dict[str, Any]]:
    return list(data(somebody.get(f"/chat/users{query}")))


def names(somebody: Api, query: str = "") -> list[str]:
    return [one["displayName"] for one in picker(somebody, query)]


def without_rights(tenant: Any, somebody: Api) -> Api:
    """The same person with a profile that may not see people."""
    with bind(tenant.ref):
        CustomProfile.objects.create(id=101, name="Guest", name_key="guest", permissions=[])
        User.objects.filter(id=somebody.user.id).update(profile_id=101)
    return signed_in(tenant, somebody.user.email_key)


def test_active_people_but_oneself_are_there_by_name(alice: Api, bob: Api, tenant: Any) -> None:
    for name, status in (
        ("zoe", User.Status.ACTIVE),
        ("anna", User.Status.ACTIVE),
        ("pending", User.Status.PENDING),
        ("inactive", User.Status.INACTIVE),
        ("erased", User.Status.ERASED),
    ):
        person(tenant, name, status=status)
    assert names(alice) == ["Anna", "Bob", "Zoe"]
    assert names(bob) == ["Alice", "Anna", "Zoe"]


def test_a_person_is_shown_as_everywhere(alice: Api, bob: Api) -> None:
    assert picker(alice) == [
        {
            "id": str(bob.user.uuid),
            "userId": bob.user.id,
            "displayName": "Bob",
            "firstName": "Bob",
            "lastName": "",
            "avatarUrl": None,
            "online": False,
            "email": "user@acme.test",
        }
    ]


def test_who_is_deactivated_is_gone_and_back_when_activated(alice: Api, bob: Api, tenant: Any) -> None:
    data(alice.call("DELETE", f"/users/{bob.user.id}"))
    assert picker(alice) == []
    data(alice.post(f"/users/{bob.user.id}/activate"))
    assert names(alice) == ["Bob"]


def test_who_may_not_see_people_gets_no_address_and_finds_nobody_by_one(alice: Api, bob: Api, tenant: Any) -> None:
    with bind(tenant.ref):
        User.objects.filter(id=alice.user.id).update(last_name="Smith")
    nameless = person(tenant, "nobody")
    with bind(tenant.ref):
        User.objects.filter(id=nameless.id).update(first_name="")
    guest = without_rights(tenant, bob)
    assert guest.get("/users").status_code == 403
    seen = picker(guest)
    assert [(one["displayName"], one["email"]) for one in seen] == [("Alice Smith", None), ("nobody", None)]
    assert b"acme.test" not in guest.get("/chat/users").content
    for address in ("admin@acme.test", "admin", "acme", "@", "smith admin"):
        assert names(guest, f"?search={address}") == []
    assert names(guest, "?search=smi") == ["Alice Smith"]
    # What is shown of who has no name can be searched.
    assert names(guest, "?search=nobo") == ["nobody"]
    assert names(alice, "?search=user@acme") == ["Bob"]


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("bo", ["Bob"]),
        ("BOB", ["Bob"]),
        ("jörg", ["Jörg Müller"]),
        ("mül jör", ["Jörg Müller"]),
        ("ｂｏｂ", ["Bob"]),
        ("%", []),
        ("_", []),
        ("\\", []),
        ("bob zoe", []),
        ("  ", ["Bob", "Jörg Müller"]),
    ],
)
def test_every_word_is_in_the_name(alice: Api, bob: Api, tenant: Any, search: str, found: list[str]) -> None:
    joerg = person(tenant, "joerg")
    with bind(tenant.ref):
        User.objects.filter(id=joerg.id).update(first_name="Jörg", last_name="Müller")
    assert names(alice, f"?search={search.replace('%', '%25')}") == found


def test_pages_go_through_everybody_once_with_equal_and_long_names_too(alice: Api, bob: Api, tenant: Any) -> None:
    with bind(tenant.ref):
        for number in range(4):
            somebody = person(tenant, f"p{number}")
            User.objects.filter(id=somebody.id).update(first_name="🎉" * 100, last_name="Same" * (number % 2))
        for number in range(3):
            person(tenant, f"twin{number}")
        User.objects.filter(first_name__startswith="Twin").update(first_name="twin")
    seen: list[int] = []
    cursor = ""
    while True:
        answer = alice.get(f"/chat/users?limit=2{cursor}").json()
        seen += [one["userId"] for one in answer["data"]]
        if answer["meta"]["nextCursor"] is None:
            break
        cursor = f"&cursor={answer['meta']['nextCursor']}"
    assert len(seen) == len(set(seen)) == 8
    assert seen == [one["userId"] for one in picker(alice)]


def test_nobody_of_another_tenant_is_there(alice: Api, bob: Api, mallory: Api) -> None:
    assert alice.user.id == mallory.user.id
    assert [one["email"] for one in picker(mallory)] == ["user@globex.test"]
    assert names(mallory, "?search=acme") == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=201", "validation_failed"),
        ("limit=0", "validation_failed"),
        ("search=%00", "validation_failed"),
        ("search=" + "x" * 101, "validation_failed"),
        ("search=a&search=b", "validation_failed"),
        ("cursor=x", "invalid_cursor"),
        ("q=x", "unknown_parameter"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(bob: Api, query: str, code: str) -> None:
    assert error(bob.get(f"/chat/users?{query}")) == (400, code)


def test_it_costs_the_same_for_one_and_for_a_hundred(alice: Api, bob: Api, tenant: Any) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            picker(alice, "?limit=200")
        return sum("accounts_user" in one["sql"] for one in captured)

    picker(alice)
    few = queries()
    for number in range(99):
        person(tenant, f"p{number}")
    assert len(picker(alice, "?limit=200")) == 100
    assert queries() == few == 1


class TestOnline:
    def _there(self, tenant: Any, entry: str, seconds: float = 45) -> None:
        valkey.client().zadd(presence_key(tenant.id), {entry: time.time() + seconds})

    def test_who_has_a_socket_somewhere_is_online(self, alice: Api, bob: Api, tenant: Any) -> None:
        zoe = person(tenant, "zoe")
        self._there(tenant, f"{bob.user.id}:process-1")
        self._there(tenant, f"{bob.user.id}:process-2", seconds=-1)
        self._there(tenant, f"{zoe.id}:process-1", seconds=-1)
        assert [(one["displayName"], one["online"]) for one in picker(alice)] == [("Bob", True), ("Zoe", False)]
        assert online(tenant.id, [bob.user.id, zoe.id]) == {bob.user.id}

    def test_equal_numbers_of_another_tenant_are_other_people(self, alice: Api, bob: Api, other_tenant: Any) -> None:
        self._there(other_tenant, f"{bob.user.id}:process-1")
        assert [one["online"] for one in picker(alice)] == [False]

    def test_without_valkey_nobody_is_known_to_be(self, alice: Api, bob: Api, tenant: Any, settings: Any) -> None:
        self._there(tenant, f"{bob.user.id}:process-1")
        settings.REDIS_URL = "redis://127.0.0.1:1/0"
        valkey.close()
        assert [one["online"] for one in picker(alice)] == [False]
        assert online(tenant.id, []) == set()
