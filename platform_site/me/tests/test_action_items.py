"""``/me/action-items``: every item once, by the days of whoever asks, whatever becomes of a source."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import LinkToken
from accounts.roles import Role
from accounts.tests.people import queries_of, somebody
from chat.models import Message
from chat.tests.support import group, say
from notifications.models import SmtpServer
from platform_site.action_items import ActionItem, ActionSource, Found, Window, action_sources, found
from platform_site.api.identity import Identity
from platform_site.binding import bind
from platform_site.me import collecting
from platform_site.me.collecting import window_of
from platform_site.me.tests.support import give, items, put, tasks_counted, waiting
from registry.models import Duplicate, Entity
from setup_hub.tests.support import say as say_about
from setup_hub.tests.support import seen
from tests.support import Api, at_once, data, error

Install = Callable[..., None]


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Let these be all sources there are: (key, what it finds or raises)."""

    def install(**finds: Callable[[Identity, Window], Found]) -> None:
        monkeypatch.setattr(action_sources, "_entries", {key: ActionSource(key, find) for key, find in finds.items()})

    return install


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let it be this moment for action items."""

    def turn(moment: str) -> None:
        class Clock:
            @staticmethod
            def now() -> datetime:
                return datetime.fromisoformat(moment)

        monkeypatch.setattr(collecting, "timezone", Clock)

    return turn


def item(key: str, due: str | None = None, **more: Any) -> ActionItem:
    due_at = datetime.fromisoformat(due) if due else None
    return ActionItem(id=key, app="test", type="task", title=key, due_at=due_at, **more)


def finding(*ones: ActionItem) -> Callable[[Identity, Window], Found]:
    return lambda asker, window: found(ones, window)


def live_in(person: Api, zone: str) -> None:
    data(person.call("PATCH", "/auth/me/profile", {"timezone": zone}))


def ids(shown: Any) -> dict[str, list[str]]:
    return {name: [one["id"] for one in shown[name]] for name in ("overdue", "dueSoon", "tasks")}


def test_each_item_is_there_once(bob: Api, sources: Install, at: Callable[[str], None]) -> None:
    at("2026-11-27T12:00:00+00:00")
    sources(
        one=finding(item("late", "2026-11-26T23:59:00+00:00"), item("today", "2026-11-27T08:00:00+00:00")),
        two=finding(item("soon", "2026-11-30T23:59:00+00:00"), item("later", "2026-12-01T00:00:00+00:00"), item("any")),
    )
    shown = waiting(bob)
    assert ids(shown) == {"overdue": ["late"], "dueSoon": ["today", "soon"], "tasks": ["later", "any"]}
    assert shown["counts"] == {"total": 5, "overdue": 1, "dueToday": 1, "dueSoon": 2}
    assert shown["bySource"] == {"one": 2, "two": 3}
    assert (shown["partial"], shown["errors"]) == (False, [])
    assert [one["state"] for one in (*shown["overdue"], *shown["dueSoon"], *shown["tasks"])] == [
        "overdue",
        "due_soon",
        "due_soon",
        "open",
        "open",
    ]


def test_what_is_due_first_comes_first_and_then_what_is_urgent(bob: Api, sources: Install) -> None:
    due = (timezone.now() + timedelta(days=400)).isoformat()
    later = (timezone.now() + timedelta(days=401)).isoformat()
    sources(
        one=finding(item("e"), item("d", later, priority="urgent"), item("c", due, priority="low")),
        two=finding(item("b", due), item("a", due, priority="urgent"), item("f", priority="low")),
    )
    assert ids(waiting(bob))["tasks"] == ["a", "b", "c", "d", "e", "f"]


@pytest.mark.parametrize(
    ("now", "zone", "overdue", "today"),
    [
        # Half past eleven at night in Tokyo: the day of what is due at noon there is still going on.
        ("2026-11-27T23:30:00+09:00", "Asia/Tokyo", [], 1),
        # The same moment in New York is the morning of that day.
        ("2026-11-27T23:30:00+09:00", "America/New_York", [], 1),
        # Half past eleven at night in New York; in Tokyo the afternoon of the day after.
        ("2026-11-27T23:30:00-05:00", "America/New_York", [], 1),
        ("2026-11-27T23:30:00-05:00", "Asia/Tokyo", ["x"], 0),
        # Half an hour after midnight.
        ("2026-11-28T00:30:00-05:00", "America/New_York", ["x"], 0),
        ("2026-11-28T00:30:00+09:00", "Asia/Tokyo", ["x"], 0),
    ],
)
def test_days_are_those_of_whoever_asks(
    bob: Api, sources: Install, at: Callable[[str], None], now: str, zone: str, overdue: list[str], today: int
) -> None:
    live_in(bob, zone)
    at(now)
    sources(one=finding(item("x", "2026-11-27T12:00:00+09:00")))
    # Noon in Tokyo is ten in the evening of the 26th in New York.
    if zone == "America/New_York":
        sources(one=finding(item("x", "2026-11-27T12:00:00-05:00")))
    shown = waiting(bob)
    assert (ids(shown)["overdue"], shown["counts"]["dueToday"]) == (overdue, today)


def test_one_moment_is_overdue_for_one_and_due_today_for_another(
    alice: Api, bob: Api, sources: Install, at: Callable[[str], None]
) -> None:
    live_in(alice, "Asia/Tokyo")
    live_in(bob, "America/New_York")
    # 00:30 on the 28th in Tokyo, 10:30 on the 27th in New York.
    at("2026-11-27T15:30:00+00:00")
    sources(one=finding(item("x", "2026-11-27T14:00:00+00:00")))
    assert ids(waiting(alice))["overdue"] == ["x"]
    assert ids(waiting(bob)) == {"overdue": [], "dueSoon": ["x"], "tasks": []}


def test_without_a_zone_of_ones_own_it_is_the_companys(
    alice: Api, bob: Api, sources: Install, at: Callable[[str], None]
) -> None:
    data(alice.call("PUT", "/org-settings/company.timezone", {"value": "Asia/Tokyo"}))
    at("2026-11-27T15:30:00+00:00")
    sources(one=finding(item("x", "2026-11-27T14:00:00+00:00")))
    assert ids(waiting(bob))["overdue"] == ["x"]


def test_a_day_on_which_the_clocks_change_is_a_day() -> None:
    zone = ZoneInfo("Europe/Berlin")
    window = window_of(zone, now=datetime(2026, 10, 25, 12, tzinfo=UTC), within_days=0, limit=20)
    assert window.tomorrow - window.today == timedelta(hours=25)
    assert window.soon == window.tomorrow


def test_how_far_ahead_is_soon_can_be_said(bob: Api, sources: Install, at: Callable[[str], None]) -> None:
    at("2026-11-27T12:00:00+00:00")
    sources(one=finding(*(item(str(day), f"2026-11-{day}T12:00:00+00:00") for day in (27, 28, 29, 30))))
    for days, soon in ((0, 1), (1, 2), (3, 4), (90, 4)):
        assert len(waiting(bob, f"?dueWithinDays={days}")["dueSoon"]) == soon


def test_a_source_that_breaks_is_named_and_the_others_are_there(bob: Api, sources: Install) -> None:
    def broken(asker: Identity, window: Window) -> Found:
        raise RuntimeError("secret words")

    def broken_sql(asker: Identity, window: Window) -> Found:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")
        raise AssertionError("never")

    sources(one=broken, two=finding(item("x")), three=broken_sql, four=finding(item("y")))
    answer = bob.get("/me/action-items")
    shown = data(answer)
    assert (shown["partial"], shown["errors"]) == (True, ["one", "three"])
    assert ids(shown)["tasks"] == ["x", "y"]
    assert shown["bySource"] == {"one": 0, "two": 1, "three": 0, "four": 1}
    assert b"secret words" not in answer.content


def test_a_source_that_takes_too_long_is_not_waited_for(bob: Api, sources: Install) -> None:
    def slow(asker: Identity, window: Window) -> Found:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(20)")
        return found([], window)

    sources(one=slow, two=finding(item("x")))
    began = time.monotonic()
    shown = waiting(bob)
    assert time.monotonic() - began < 5
    assert (shown["errors"], ids(shown)["tasks"]) == (["one"], ["x"])


def test_a_source_cannot_write(bob: Api, sources: Install) -> None:
    def naughty(asker: Identity, window: Window) -> Found:
        Message.objects.update(content="")
        return found([], window)

    sources(one=naughty)
    assert waiting(bob)["errors"] == ["one"]


def test_the_limit_is_for_all_sources_together(bob: Api, sources: Install) -> None:
    sources(one=finding(*(item(f"a{n}") for n in range(30))), two=finding(*(item(f"b{n}") for n in range(30))))
    assert len(items(bob, "")) == 20
    assert len(items(bob, "?limit=45")) == 45
    assert waiting(bob, "?limit=1")["counts"]["total"] == 60


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("limit=0", "limit", "validation_failed"),
        ("limit=101", "limit", "validation_failed"),
        ("limit=x", "limit", "validation_failed"),
        ("dueWithinDays=-1", "dueWithinDays", "validation_failed"),
        ("dueWithinDays=91", "dueWithinDays", "validation_failed"),
        ("source=nothing", "source", "unknown_source"),
        ("source=tasks&source=chat", "source", "validation_failed"),
        ("page=1", "page", "validation_failed"),
    ],
)
def test_a_wrong_question_is_refused(bob: Api, query: str, field: str, code: str) -> None:
    refused = bob.get(f"/me/action-items?{query}")
    assert refused.status_code == 400
    assert [one["field"] for one in refused.json()["error"]["details"]] == [field]
    assert refused.json()["error"]["code"] in (code, "unknown_parameter")


def test_one_source_alone(module_item: Any, bob: Api) -> None:
    shown = waiting(bob, "?source=tasks")
    assert list(shown["bySource"]) == ["tasks"]
    assert shown["counts"]["total"] == 1
    assert set(waiting(bob)["bySource"]) == {source.key for source in action_sources}


@pytest.fixture
def module_item(alice: Api, bob: Api) -> Any:
    return give(alice, "lead-42", bob)


class TestSources:
    """What each app says waits."""

    def test_ones_own_address(self, bob: Api) -> None:
        (one,) = items(bob, "?source=verification")
        assert (one["type"], one["app"], one["priority"]) == ("verify_email", "accounts", "high")

    def test_invitations_for_who_may_invite(self, alice: Api, bob: Api, tenant: Any) -> None:
        manager = somebody(tenant, "mona", Role.MANAGER)
        data(alice.post("/users", {"email": "new@acme.test", "firstName": "New", "role": "user"}), 201)
        (one,) = items(alice, "?source=invitations")
        assert (one["title"], one["state"]) == ("New has not accepted the invitation", "open")
        assert items(manager, "?source=invitations") == [one]
        assert items(bob, "?source=invitations") == []
        with bind(tenant.ref):
            LinkToken.objects.filter(kind="inv").update(expires_at=timezone.now() - timedelta(days=2))
        (expired,) = items(alice, "?source=invitations")
        assert (expired["id"], expired["state"], expired["priority"]) == (one["id"], "overdue", "high")
        assert waiting(alice, "?source=invitations")["counts"]["overdue"] == 1

    def test_required_tasks_for_administrators(self, alice: Api, bob: Api) -> None:
        tasks = items(alice, "?source=setup")
        assert {one["id"] for one in tasks} == {
            f"setup:{one['code']}" for one in seen(alice)["tasks"] if one["required"] and not one["blockedBy"]
        }
        assert items(bob, "?source=setup") == []
        data(say_about(alice, "notifications.sender", "completed", force=True))
        assert len(items(alice, "?source=setup")) == len(tasks) - 1

    def test_a_mail_server_that_fails(self, alice: Api, bob: Api, tenant: Any) -> None:
        assert items(alice, "?source=email") == []
        with bind(tenant.ref):
            SmtpServer.objects.create(host="smtp.acme.example", port=587, security="starttls", failures=2)
        (one,) = items(alice, "?source=email")
        assert (one["type"], one["priority"]) == ("smtp_failing", "high")
        assert items(bob, "?source=email") == []
        with bind(tenant.ref):
            SmtpServer.objects.update(paused_until=timezone.now() + timedelta(minutes=5))
        (one,) = items(alice, "?source=email")
        assert (one["type"], one["priority"]) == ("smtp_paused", "urgent")

    def test_notifications_that_are_urgent_and_lead_somewhere(self, alice: Api, bob: Api, in_tenant: Any) -> None:
        from notifications.models import Notification

        make = Notification.objects.create
        told = make(user=bob.user, event_key="email.smtp_degraded", title="It is down", action_url="/settings/email")
        make(user=bob.user, event_key="email.smtp_degraded", title="Leads nowhere")
        make(user=bob.user, event_key="sales.lead_assigned", title="Not urgent", action_url="/sales")
        make(user=alice.user, event_key="email.smtp_degraded", title="Not mine", action_url="/settings/email")
        (one,) = items(bob, "?source=notifications")
        assert (one["id"], one["title"], one["priority"]) == (f"notifications:{told.id}", "It is down", "high")
        data(bob.post("/notifications/mark-all-read"))
        assert items(bob, "?source=notifications") == []

    def test_mentions_that_were_missed(self, alice: Api, bob: Api, tenant: Any) -> None:
        channel = group(alice, bob.user)["id"]
        for _ in range(2):
            data(alice.post(f"/chat/channels/{channel}/messages", {"content": f"<@{bob.user.id}> look"}), 201)
        assert items(bob, "?source=chat") == []
        with bind(tenant.ref):
            Message.objects.update(created_at=timezone.now() - timedelta(days=2))
        (one,) = items(bob, "?source=chat")
        assert one["title"].endswith("(2 times)")
        assert one["url"] == f"/chat/{channel}"
        assert items(alice, "?source=chat") == []
        data(bob.post("/chat/read-all"))
        assert items(bob, "?source=chat") == []

    def test_pairs_of_records_for_who_may_merge(self, alice: Api, tenant: Any) -> None:
        reader = somebody(tenant, "rita", Role.USER, profile_id=4)
        with bind(tenant.ref):
            known = {"entity_class": "person", "name": "J", "name_key": "j", "search_text": "j"}
            low, high = sorted((Entity.objects.create(**known) for _ in range(2)), key=lambda one: one.id)
            Duplicate.objects.create(low=low, high=high, score=0.9)
        (one,) = items(alice, "?source=duplicates")
        assert (one["title"], one["priority"]) == ("Two records may be the same", "low")
        assert items(reader, "?source=duplicates") == []


def test_it_takes_as_many_queries_for_much_as_for_little(alice: Api, bob: Api, tenant: Any) -> None:
    little = queries_of(alice, "/me/action-items")
    channel = group(bob, alice.user)["id"]
    data(bob.post(f"/chat/channels/{channel}/messages", {"content": f"<@{alice.user.id}> look"}), 201)
    for number in range(30):
        give(alice, str(number), alice)
        data(alice.post("/users", {"email": f"new{number}@acme.test", "role": "user"}), 201)
    with bind(tenant.ref):
        SmtpServer.objects.create(host="smtp.acme.example", port=587, security="starttls", failures=2)
        Message.objects.update(created_at=timezone.now() - timedelta(days=2))
    shown = waiting(alice)
    assert sum(count > 0 for count in shown["bySource"].values()) >= 6
    assert queries_of(alice, "/me/action-items") == little


def test_nobody_sees_what_waits_for_somebody_else(module_item: Any, alice: Api, bob: Api, mallory: Api) -> None:
    assert len(items(bob)) == 1
    assert items(alice) == items(mallory) == []


@pytest.mark.commits
def test_after_many_marks_at_once_all_counts_agree(alice: Api, bob: Api, tenant: Any) -> None:
    """Reading, telling, sending, doing, all at the same time: afterwards each counter says what its app says."""
    from notifications.tests.support import raise_lead, told

    channel = group(alice, bob.user)["id"]
    made = [give(alice, f"first-{number}", bob)["id"] for number in range(12)]
    for _ in range(12):
        say(tenant, alice.user, channel)
        raise_lead(alice, bob)
    unread = [one["id"] for one in told(bob)]

    def work(number: int) -> None:
        kind, number = number % 4, number // 4
        if kind == 0:
            data(bob.post(f"/me/action-items/{made[number]}/done"))
            data(put(alice, f"second-{number}", assignee=bob.user.id), 201)
        elif kind == 1:
            data(bob.call("PATCH", f"/notifications/{unread[number]}/read", {}))
            raise_lead(alice, bob)
        elif kind == 2:
            say(tenant, alice.user, channel)
        else:
            data(bob.post("/chat/read-all"))

    assert at_once(16, work).most_at_once > 1
    counts = data(bob.get("/me/unread-counts"))
    assert counts["notifications"] == data(bob.get("/notifications/unread-count"))["count"] == 12
    assert counts["chat"] == data(bob.get("/chat/unread-count"))["unreadCount"]
    assert counts["tasks"] == waiting(bob, "?source=tasks")["counts"]["total"] == 12
    assert counts["total"] == counts["notifications"] + counts["chat"] + counts["tasks"]
    data(bob.post("/chat/read-all"))
    assert data(bob.get("/me/unread-counts"))["chat"] == 0
    assert tasks_counted(alice) == 0


def test_an_api_key_is_nobody_for_whom_something_waits(alice: Api) -> None:
    from accounts.tests.people import key_of

    assert error(key_of(alice, "action_items.write").get("/me/action-items")) == (403, "person_required")
