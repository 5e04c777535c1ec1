"""``/notifications``: the inbox, its count, reading and dismissing."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.models import Notification
from notifications.tests.support import VALUES, listening, raise_lead, told
from platform_site.binding import bind
from tests.support import Api, at_once

UNKNOWN = "019aaf1e-5d2c-7a31-9c0e-000000000009"


def error(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def counts(person: Api) -> tuple[int, int]:
    """As the list says and as the count says: they agree."""
    listed = person.get("/notifications").json()["meta"]["unreadCount"]
    return listed, person.get("/notifications/unread-count").json()["data"]["count"]


def test_what_was_raised_is_there_for_whom_it_was_raised(alice: Api, bob: Api) -> None:
    assert raise_lead(alice, bob).json()["data"] == {"told": 1}
    (one,) = told(bob)
    assert (one["title"], one["body"]) == ("New lead: Acme Corp", "Jane Doe assigned Acme Corp to you.")
    assert (one["eventKey"], one["module"], one["actionUrl"]) == ("sales.lead_assigned", "sales", "/sales/leads/42")
    assert (one["isRead"], one["readAt"], one["data"]) == (False, None, VALUES)
    assert one["actor"] == {"id": str(alice.user.uuid), "displayName": "Alice"}
    assert told(alice) == []
    assert counts(bob) == (1, 1)


def test_the_newest_is_first_and_pages_hold_together(alice: Api, bob: Api) -> None:
    for number in range(3):
        raise_lead(alice, bob, data={**VALUES, "leadName": f"L{number}"})
    assert [one["title"] for one in told(bob)] == ["New lead: L2", "New lead: L1", "New lead: L0"]
    second = bob.get("/notifications?page=2&limit=2").json()
    assert [one["title"] for one in second["data"]] == ["New lead: L0"]
    assert second["meta"] == {
        "page": 2, "limit": 2, "total": 3, "totalPages": 2, "totalIsEstimate": False, "unreadCount": 3,
    }  # fmt: skip
    assert told(bob, "?page=9") == []


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT"])
def test_reading_counts_once_and_tells_what_is_left(alice: Api, bob: Api, method: str) -> None:
    raise_lead(alice, bob)
    raise_lead(alice, bob)
    one = told(bob)[0]
    first = bob.call(method, f"/notifications/{one['id']}/read").json()["data"]
    again = bob.call(method, f"/notifications/{one['id']}/read").json()["data"]
    assert (first["unreadCount"], again["unreadCount"]) == (1, 1)
    assert first["notification"]["isRead"] is True
    assert first["notification"]["readAt"] == again["notification"]["readAt"] is not None
    assert [item["id"] for item in told(bob, "?unread=true")] == [told(bob)[1]["id"]]
    assert counts(bob) == (1, 1)


def test_all_are_read_but_what_came_later(alice: Api, bob: Api) -> None:
    for _ in range(3):
        raise_lead(alice, bob)
    before = told(bob)[1]["createdAt"]
    with bind(bob.tenant.ref):
        oldest = Notification.objects.earliest("id")
        Notification.objects.filter(id=oldest.id).update(created_at="2020-01-01T00:00:00Z")
    some = bob.post("/notifications/mark-all-read", {"before": "2021-01-01T00:00:00Z"}).json()["data"]
    assert some == {"updated": 1, "unreadCount": 2}
    assert bob.post("/notifications/mark-all-read").json()["data"] == {"updated": 2, "unreadCount": 0}
    assert bob.post("/notifications/mark-all-read").json()["data"] == {"updated": 0, "unreadCount": 0}
    assert before is not None
    assert counts(bob) == (0, 0)


def test_what_is_dismissed_is_gone_and_counts_no_more(alice: Api, bob: Api) -> None:
    raise_lead(alice, bob)
    (one,) = told(bob)
    answer = bob.call("DELETE", f"/notifications/{one['id']}")
    assert answer.json()["data"] == {"id": one["id"], "dismissed": True, "unreadCount": 0}
    assert told(bob) == []
    for method, path in (("DELETE", ""), ("POST", "/read")):
        assert error(bob.call(method, f"/notifications/{one['id']}{path}")) == (404, "not_found")


def test_nobody_touches_what_somebody_else_was_told(alice: Api, bob: Api, mallory: Api) -> None:
    raise_lead(alice, bob)
    (one,) = told(bob)
    for other in (alice, mallory):
        for method, path in (("POST", f"/{one['id']}/read"), ("DELETE", f"/{one['id']}"), ("POST", f"/{UNKNOWN}/read")):
            assert error(other.call(method, f"/notifications{path}")) == (404, "not_found")
        other.post("/notifications/mark-all-read")
        assert told(other) == []
    assert counts(bob) == (1, 1)


@pytest.mark.parametrize(
    "query", ["unread=abc", "unread=", "unread=1", "limit=0", "limit=101", "page=0", "unread=true&unread=false"]
)
def test_a_query_that_makes_no_sense_is_refused(bob: Api, query: str) -> None:
    assert error(bob.get(f"/notifications?{query}")) == (400, "validation_failed")


@pytest.mark.parametrize("path", ["/1/read", "/x", "/x/read"])
def test_what_is_no_id_is_no_path(bob: Api, path: str) -> None:
    assert bob.post(f"/notifications{path}").status_code == 404


def test_a_page_costs_the_same_for_one_and_for_a_hundred(alice: Api, bob: Api) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            told(bob, "?limit=100")
        return sum("notifications_" in one["sql"] or "accounts_user" in one["sql"] for one in captured)

    raise_lead(alice, bob)
    told(bob)
    few = queries()
    with bind(bob.tenant.ref):
        like = Notification.objects.get()
        Notification.objects.bulk_create(
            Notification(user_id=bob.user.id, event_key=like.event_key, title="x", actor_id=like.actor_id)
            for _ in range(99)
        )
    assert len(told(bob, "?limit=100")) == 100
    assert queries() == few == 4


class TestFrames:
    pytestmark = pytest.mark.commits

    def test_every_change_is_published_with_the_count_as_it_is(self, alice: Api, bob: Api) -> None:
        with listening(bob.tenant) as frames:
            raise_lead(alice, bob)
            raise_lead(alice, bob)
            first, second = told(bob)
            bob.post(f"/notifications/{first['id']}/read")
            bob.post(f"/notifications/{first['id']}/read")
            bob.call("DELETE", f"/notifications/{first['id']}")
            bob.post("/notifications/mark-all-read")
        assert all(header | {"t": 0} == {"k": "plain", "to": [bob.user.id], "t": 0} for header, _ in frames)
        said = [(frame["t"], frame["d"]["unreadCount"]) for _, frame in frames]
        assert said == [
            ("notification.created", 1),
            ("notification.created", 2),
            ("notification.read", 1),
            ("notification.dismissed", 1),
            ("notification.readAll", 0),
        ]
        created = frames[1][1]["d"]
        assert {name: created[name] for name in first if name != "actor"} == {
            name: value for name, value in first.items() if name != "actor"
        }
        assert second["id"] == frames[0][1]["d"]["id"]

    def test_another_tenant_s_channel_says_nothing(self, alice: Api, bob: Api, mallory: Api) -> None:
        with listening(mallory.tenant) as frames:
            raise_lead(alice, bob)
        assert frames == []

    def test_of_many_who_read_one_at_once_the_first_counts(self, alice: Api, bob: Api) -> None:
        raise_lead(alice, bob)
        (one,) = told(bob)
        with listening(bob.tenant) as frames:
            done = at_once(8, lambda _: Api(token=bob.token).post(f"/notifications/{one['id']}/read").status_code)
        assert (done.results, done.most_at_once > 1) == ([200] * 8, True)
        assert [frame["t"] for _, frame in frames] == ["notification.read"]
