"""``/me/unread-counts``: one statement for all counters, and no error because one of them fails."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from chat.tests.support import data, group, say
from notifications.tests.support import raise_lead
from platform_site.binding import bind
from platform_site.unread import ALWAYS_SHOWN, UnreadSource, joint_statement, unread_sources
from tests.support import Api

Break = Callable[[str, str], None]


def counts(somebody: Api) -> dict[str, Any]:
    return dict(data(somebody.get("/me/unread-counts")))


def statuses(shown: dict[str, Any]) -> dict[str, str]:
    return {key: source["status"] for key, source in shown["sources"].items()}


@pytest.fixture
def busy(alice: Api, bob: Api, tenant: Any) -> Api:
    """Bob, who has something to read."""
    made = group(alice, bob.user)["id"]
    for _ in range(3):
        say(tenant, alice.user, made)
    raise_lead(alice, bob)
    return bob


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Break:
    def put(key: str, statement: str) -> None:
        monkeypatch.setitem(unread_sources._entries, key, UnreadSource(key, statement))

    return put


def test_they_are_what_each_app_says(busy: Api) -> None:
    shown = counts(busy)
    assert {key: shown[key] for key in ALWAYS_SHOWN} == {"email": 0, "tasks": 0, "chat": 3, "notifications": 1}
    assert shown["total"] == 4
    assert shown["chat"] == data(busy.get("/chat/unread-count"))["unreadCount"]
    assert shown["notifications"] == data(busy.get("/notifications/unread-count"))["count"]
    assert statuses(shown) == {key: "ok" if key in unread_sources else "not_configured" for key in ALWAYS_SHOWN}
    assert statuses(shown)["email"] == "not_configured"


def test_what_is_read_counts_no_more(busy: Api) -> None:
    data(busy.post("/chat/read-all"))
    data(busy.post("/notifications/mark-all-read"))
    assert counts(busy)["total"] == 0


def test_nobody_sees_what_somebody_else_has_to_read(busy: Api, alice: Api, mallory: Api) -> None:
    assert counts(alice)["total"] == counts(mallory)["total"] == 0


def test_they_are_counted_in_one_statement(busy: Api) -> None:
    counts(busy)
    with CaptureQueriesContext(connection) as captured:
        counts(busy)
    counting = [one["sql"] for one in captured if "chat_member" in one["sql"] or "notifications_" in one["sql"]]
    assert len(counting) == 1
    assert counting[0].count("AS counted") == len(unread_sources)


def test_a_counter_that_fails_leaves_the_others(busy: Api, broken: Break) -> None:
    for statement in ("SELECT 1/0, 1", "SELECT nothing FROM nowhere", "this is no SQL"):
        broken("chat", statement)
        shown = counts(busy)
        assert (shown["chat"], shown["notifications"], shown["total"]) == (0, 1, 1)
        assert (statuses(shown)["chat"], statuses(shown)["notifications"]) == ("unavailable", "ok")


def test_a_counter_that_takes_too_long_is_not_waited_for(busy: Api, broken: Break) -> None:
    broken("notifications", "SELECT 1::bigint, 1::bigint FROM pg_sleep(20)")
    began = time.perf_counter()
    shown = counts(busy)
    assert time.perf_counter() - began < 5
    assert (shown["chat"], statuses(shown)["notifications"]) == (3, "unavailable")
    # What was set for these statements is forgotten for those that follow.
    with bind(busy.tenant.ref), connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone()[0] != "300ms"


def test_all_of_them_may_fail(busy: Api, broken: Break) -> None:
    for source in list(unread_sources):
        broken(source.key, "SELECT 1/0, 1")
    shown = counts(busy)
    assert shown["total"] == 0
    assert set(statuses(shown).values()) <= {"unavailable", "not_configured"}


def test_a_client_that_knows_them_is_told_so(busy: Api, alice: Api) -> None:
    first = busy.get("/me/unread-counts")
    assert first["Cache-Control"] == "private, no-cache"
    again = busy.get("/me/unread-counts", if_none_match=first["ETag"])
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert again["Cache-Control"] == "private, no-cache"
    data(busy.post("/chat/read-all"))
    assert busy.get("/me/unread-counts", if_none_match=first["ETag"]).status_code == 200
    assert alice.get("/me/unread-counts", if_none_match=first["ETag"]).status_code == 200


def test_a_counter_that_fails_is_another_answer(busy: Api, broken: Break) -> None:
    data(busy.post("/chat/read-all"))
    first = busy.get("/me/unread-counts")
    broken("chat", "SELECT 1/0, 1")
    second = busy.get("/me/unread-counts", if_none_match=first["ETag"])
    assert (second.status_code, second.json()["data"]["chat"], first.json()["data"]["chat"]) == (200, 0, 0)


def test_one_statement_counts_for_many_people(busy: Api, alice: Api) -> None:
    users = [busy.user.id, alice.user.id, 999_999]
    with bind(busy.tenant.ref), connection.cursor() as cursor:
        cursor.execute(joint_statement(), {"users": users})
        found = set(cursor.fetchall())
    assert found == {("chat", busy.user.id, 3), ("notifications", busy.user.id, 1)}


def test_a_counter_has_a_name_that_fits_into_sql() -> None:
    for key in ("", "Chat", "a'b", "a b", "ä"):
        with pytest.raises(ValueError, match="name of a counter"):
            UnreadSource(key, "SELECT 1, 1")
