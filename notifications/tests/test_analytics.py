"""``/notifications/analytics``: that what is counted is what happened, by day, event, channel and reason."""

import threading
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone

from accounts.catalog import USER_ERASED
from notifications.analytics import SUMS, Analytics, Span, analytics
from notifications.counting import Change, count, fold
from notifications.models import CountChange, DailyCount, Delivery, EmailSection, Notification
from notifications.reactions import forget_who_was_erased
from notifications.services.outcomes import changes_of, deliveries_failed
from notifications.services.telling import notify
from notifications.tests.support import LEAD, VALUES, deliveries, raise_lead, told
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from platform_site.notification_events import notification_events
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from tenancy.models import Tenant
from tests.support import Api, at_once, threads_close_connections

PATH = "/notifications/analytics"
FOLDED = UUID(int=1)


def today() -> Span:
    """And the days around it, whatever the time is."""
    now = timezone.now().date()
    return Span(now - timedelta(days=1), now + timedelta(days=1), "UTC")


def seen(person: Api, query: str = "") -> dict[str, Any]:
    answer = person.get(f"{PATH}{query}")
    assert answer.status_code == 200, answer.content
    data: dict[str, Any] = answer.json()["data"]
    return data


def happened(sums: Any) -> dict[str, int]:
    """Only what happened at all."""
    return {name: number for name, number in sums.items() if number and not name.endswith("Rate")}


def reported(delivery: Delivery, *names: str) -> None:
    """What a mail provider's report does about one delivery."""
    now = timezone.now()
    Delivery.objects.filter(pk=delivery.pk).update(**{f"{name}_at": now for name in names})
    count(changes_of([delivery], dict.fromkeys(names, 1)))


def a_mixed_day(alice: Api, bob: Api) -> None:
    """Everything that can become of a delivery, to two people."""
    bob.call("PUT", "/notifications/preferences", {"eventKey": LEAD, "channel": "email", "enabled": False})
    raise_lead(alice, bob)
    bob.call("PUT", "/notifications/preferences", {"eventKey": LEAD, "channel": "email", "enabled": None})
    raise_lead(alice, alice, bob)
    dispatcher.drain()
    raise_lead(alice, bob)
    bob.post("/notifications/mark-all-read")
    raise_lead(alice, alice, bob)
    with bind(bob.tenant.ref):
        sent = list(Delivery.objects.select_related("notification").filter(status="sent"))
        reported(sent[0], "delivered", "machine_opened", "opened", "clicked")
        reported(sent[1], "bounced", "complained", "unsubscribed")
        waiting = Delivery.objects.select_related("notification").filter(status="pending")
        deliveries_failed([waiting.get(notification__user=bob.user)], "address_refused")
        # Given up, re-driven, and sent after all.
        (late,) = waiting
        deliveries_failed([late], "gave_up")
    dispatcher.drain()
    bob.call("PUT", "/notifications/preferences/dnd", {"enabled": True, "snoozeUntil": "2099-01-01T00:00:00Z"})
    alice.call("PUT", "/notifications/analytics/digest/settings", {"frequency": "weekly"})
    raise_lead(alice, alice, bob)
    bob.call("PUT", "/notifications/preferences/dnd", {"enabled": False, "snoozeUntil": None})
    raise_lead(alice, bob)
    with bind(bob.tenant.ref):
        # Held no longer, and not sent yet.
        first = Delivery.objects.filter(status="pending", notification__user=bob.user).order_by("id")[0]
        Delivery.objects.filter(pk=first.pk).update(held_until=timezone.now() + timedelta(hours=1))


class TestWhatIsCounted:
    def test_every_sum_is_that_of_the_rows_folded_or_not(self, alice: Api, bob: Api) -> None:
        a_mixed_day(alice, bob)
        with bind(alice.tenant.ref):
            rows = analytics(today(), raw=True)
            assert CountChange.objects.exists()
            assert analytics(today()) == rows
            fold(FOLDED)
            assert not CountChange.objects.exists()
            assert analytics(today()) == rows
            notify(event=notification_events.get(LEAD), user_ids=[bob.user.id], values=VALUES)
            more = analytics(today())
            assert more == analytics(today(), raw=True) != rows
            fold(FOLDED)
            assert analytics(today()) == more
        self._holds_together(rows)
        sums = rows.overview.sums
        assert {name for name in SUMS if sums[name] == 0} == set()
        assert set(rows.reasons) == {"preference", "already_read"}

    def _holds_together(self, found: Analytics) -> None:
        for one in (found.overview, *found.events.values(), *found.channels.values()):
            sums = one.sums
            parts = ("suppressed", "deferred", "queued", "sent", "failed")
            assert sums["created"] == sum(sums[name] for name in parts)
            assert sums["sent"] >= sums["delivered"] + sums["bounced"]
        for several in (found.events.values(), found.channels.values()):
            assert all(sum(one.sums[name] for one in several) == found.overview.sums[name] for name in SUMS)
        assert all(sum(day[name] for day in found.days.values()) == found.overview.sums[name] for name in SUMS)
        assert sum(found.reasons.values()) == found.overview.sums["suppressed"]

    def test_a_day_by_hand(self, alice: Api, bob: Api) -> None:
        raise_lead(alice, alice, bob)
        alice.post(f"/notifications/{told(alice)[0]['id']}/read")
        dispatcher.drain()
        data = seen(alice)
        channels = {one["channel"]: one for one in data["byChannel"]}
        assert happened({name: channels["in_app"][name] for name in ("created", "sent", "delivered", "opened")}) == {
            "created": 2, "sent": 2, "delivered": 2, "opened": 1,
        }  # fmt: skip
        email = channels["email"]
        assert (email["created"], email["sent"], email["suppressed"], email["delivered"]) == (2, 1, 1, 0)
        assert data["suppressedByReason"] == {"already_read": 1}
        assert (channels["in_app"]["deliveryRate"], email["deliveryRate"], email["failureRate"]) == (1.0, None, 0.0)
        assert (data["overview"]["deliveryRate"], data["overview"]["openRate"]) == (1.0, 0.5)
        assert [one["eventKey"] for one in data["byEvent"]] == [LEAD]
        assert (data["dailyTrend"][-1]["date"], data["dailyTrend"][-1]["created"]) == (data["period"]["to"], 4)

    def test_what_a_retried_reader_does_is_counted_once(self, alice: Api, bob: Api) -> None:
        raise_lead(alice, bob)
        (one,) = told(bob)
        for _ in range(2):
            bob.post(f"/notifications/{one['id']}/read")
            bob.post("/notifications/mark-all-read")
        assert seen(alice)["overview"]["opened"] == 1

    def test_who_is_erased_stays_in_the_sums(self, alice: Api, bob: Api) -> None:
        raise_lead(alice, alice, bob)
        alice.call("DELETE", f"/users/{bob.user.id}")
        assert alice.call("DELETE", f"/users/{bob.user.id}/permanent").status_code == 200
        with bind(alice.tenant.ref):
            waiting = Delivery.objects.get(notification__user_id=bob.user.id)
            forget_who_was_erased(JournalEntry.objects.get(key=USER_ERASED.key))
            assert not Delivery.objects.filter(pk=waiting.pk).exists()
            found = analytics(today())
        self._holds_together(found)
        assert (found.overview.sums["created"], found.reasons) == (4, {"user_erased": 1})

    def test_mails_of_digests_are_not_among_them(self, alice: Api, bob: Api) -> None:
        bob.call("PUT", f"{PATH}/digest/settings", {"frequency": "daily"})
        raise_lead(alice, bob)
        data = seen(alice)
        assert {one["channel"]: one["created"] for one in data["byChannel"]} == {"in_app": 1, "email": 1}
        assert (data["overview"]["created"], data["overview"]["deferred"]) == (2, 1)
        assert [one["eventKey"] for one in data["byEvent"]] == [LEAD]


class TestRates:
    def test_nothing_over_nothing_is_null(self, alice: Api) -> None:
        data = seen(alice)
        for one in (data["overview"], *data["byChannel"]):
            assert {one[name] for name in ("deliveryRate", "openRate", "clickRate", "failureRate")} == {None}
        assert data["byEvent"] == []

    def test_they_are_over_what_is_noticed(self, alice: Api, bob: Api) -> None:
        raise_lead(alice, alice, bob)
        dispatcher.drain()
        first, second = (deliveries(person)[0] for person in (alice, bob))
        with bind(bob.tenant.ref):
            for delivery in (first, second):
                delivery.notification = Notification.objects.get(id=delivery.notification_id)
            reported(first, "delivered", "opened")
        email = next(one for one in seen(alice)["byChannel"] if one["channel"] == "email")
        assert (email["deliveryRate"], email["openRate"], email["clickRate"]) == (0.5, 1.0, None)
        assert email["tracking"] == {"delivered": True, "opens": True, "clicks": False}
        with bind(bob.tenant.ref):
            EmailSection.objects.create(key="tracking", value={"open_tracking": True, "click_tracking": True})
        data = seen(alice)
        assert next(one for one in data["byChannel"] if one["channel"] == "email")["clickRate"] == 0.0
        assert data["meta"]["tracking"] == {"opens": True, "clicks": True}
        # In the inbox both arrived and nobody has read anything.
        assert (data["overview"]["deliveryRate"], data["overview"]["openRate"]) == (0.75, 0.3333)


class TestScopes:
    def test_one_s_own_are_one_s_own_and_together_they_are_all(self, alice: Api, bob: Api) -> None:
        a_mixed_day(alice, bob)
        everything, bobs = seen(alice), seen(bob)
        assert (everything["scope"], bobs["scope"]) == ("tenant", "me")
        with bind(alice.tenant.ref):
            total = analytics(today())
            own = [analytics(today(), user_id=person.user.id) for person in (alice, bob)]
        for name in SUMS:
            assert total.overview.sums[name] == sum(one.overview.sums[name] for one in own)
            assert 0 < own[1].overview.sums["created"] < total.overview.sums["created"]
        assert bobs["overview"]["created"] == own[1].overview.sums["created"]

    def test_a_manager_has_the_own_ones(self, alice: Api, bob: Api) -> None:
        raise_lead(alice, alice)
        assert alice.call("PATCH", f"/users/{bob.user.id}", {"role": "manager"}).status_code == 200
        data = seen(bob)
        assert (data["scope"], data["overview"]["created"]) == ("me", 0)

    def test_another_company_sees_nothing(self, alice: Api, bob: Api, mallory: Api) -> None:
        a_mixed_day(alice, bob)
        data = seen(mallory)
        assert (data["scope"], happened(data["overview"]), data["byEvent"]) == ("tenant", {}, [])
        assert happened(data["byChannel"][0]) == {"channel": "in_app", "tracking": data["byChannel"][0]["tracking"]}

    def test_however_much_there_is_it_takes_two_queries(
        self, alice: Api, bob: Api, django_assert_num_queries: Any
    ) -> None:
        a_mixed_day(alice, bob)
        with bind(alice.tenant.ref):
            # The first query of all goes there.
            assert Delivery.objects.exists()
            for user_id in (None, bob.user.id):
                with django_assert_num_queries(2):
                    analytics(today(), user_id=user_id)


class TestDays:
    @pytest.fixture
    def new_york(self, tenant: Any) -> None:
        Tenant.objects.filter(id=tenant.id).update(timezone="America/New_York")

    def test_a_day_is_the_company_s_and_may_have_23_hours(self, alice: Api, new_york: None) -> None:
        # 2026-03-08 in New York lasts from 05:00Z to 04:00Z.
        edges = {
            datetime(2026, 3, 8, 4, 59, 59, 999999, UTC): "2026-03-07",
            datetime(2026, 3, 8, 5, tzinfo=UTC): "2026-03-08",
            datetime(2026, 3, 9, 3, 59, 59, 999999, UTC): "2026-03-08",
            datetime(2026, 3, 9, 4, tzinfo=UTC): "2026-03-09",
        }
        with bind(alice.tenant.ref):
            for made_at in edges:
                row = Notification.objects.create(user=alice.user, event_key=LEAD, title="Lead", in_inbox=False)
                delivery = Delivery.objects.create(notification=row, channel="email", status="sent", created_at=made_at)
                Delivery.objects.filter(pk=delivery.pk).update(created_at=made_at)
                delivery.created_at = made_at
                count(changes_of([delivery], {"created": 1, "sent": 1}))
        data = seen(alice, "?from=2026-03-07&to=2026-03-09")
        assert data["period"] == {"from": "2026-03-07", "to": "2026-03-09", "timezone": "America/New_York"}
        assert [(one["date"], one["created"]) for one in data["dailyTrend"]] == [
            ("2026-03-07", 1), ("2026-03-08", 2), ("2026-03-09", 1),
        ]  # fmt: skip
        assert seen(alice, "?from=2026-03-08&to=2026-03-08")["overview"]["sent"] == 2
        span = Span(date(2026, 3, 7), date(2026, 3, 9), "America/New_York")
        with bind(alice.tenant.ref):
            assert analytics(span) == analytics(span, raw=True) == analytics(span, user_id=alice.user.id)

    def test_it_is_the_last_30_days_unless_others_are_asked_for(self, alice: Api) -> None:
        data = seen(alice)
        days = [date.fromisoformat(one["date"]) for one in data["dailyTrend"]]
        assert days == [days[0] + timedelta(days=number) for number in range(30)]
        assert data["period"] == {"from": str(days[0]), "to": str(days[-1]), "timezone": "UTC"}
        assert abs((days[-1] - timezone.now().date()).days) <= 1
        assert seen(alice, "?to=2026-03-09")["period"]["from"] == "2026-02-08"
        assert len(seen(alice, "?from=2024-01-01&to=2024-12-31")["dailyTrend"]) == 366
        assert seen(alice, "?to=0001-01-02")["period"]["from"] == "0001-01-01"

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("from=2024-01-01&to=2025-01-01", "range_too_large"),
            ("from=2026-03-09&to=2026-03-08", "validation_failed"),
            ("from=2026-02-30", "validation_failed"),
            ("from=20260230", "validation_failed"),
            ("to=2026-3-9", "validation_failed"),
            ("to=yesterday", "validation_failed"),
            ("to=", "validation_failed"),
            ("to=2026-03-08&to=2026-03-09", "validation_failed"),
            ("eventKey=no.such_event", "unknown_event"),
            ("channel=digest", "unknown_channel"),
            ("days=7", "unknown_parameter"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, bob: Api, query: str, code: str) -> None:
        answer = bob.get(f"{PATH}?{query}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, code)

    def test_it_may_be_of_one_event_or_channel(self, alice: Api, bob: Api) -> None:
        raise_lead(alice, bob)
        with bind(bob.tenant.ref):
            event = notification_events.get("auth.new_device")
            notify(event=event, user_ids=[bob.user.id], values=event.sample)
        data = seen(alice, "?eventKey=auth.new_device")
        assert [one["eventKey"] for one in data["byEvent"]] == ["auth.new_device"]
        assert data["overview"]["created"] == data["dailyTrend"][-1]["created"] == len(event.channels)
        data = seen(alice, "?channel=email")
        assert [one["channel"] for one in data["byChannel"]] == ["email"]
        assert data["overview"]["created"] == data["overview"]["queued"] == 1
        assert seen(bob, "?channel=in_app")["overview"]["created"] == 2


class TestFolding:
    def test_counting_arms_one_fold_and_the_dispatcher_runs_it(
        self, alice: Api, bob: Api, django_capture_on_commit_callbacks: Any
    ) -> None:
        with bind(alice.tenant.ref), django_capture_on_commit_callbacks(execute=True):
            for _ in range(2):
                notify(event=notification_events.get(LEAD), user_ids=[bob.user.id], values=VALUES)
        (job,) = OutboxRow.objects.filter(reaction="notifications.fold_counts")
        before = seen(alice)["overview"]
        while dispatcher.run_once(now=job.available_at + timedelta(seconds=1)):
            pass
        with bind(alice.tenant.ref):
            assert DailyCount.objects.exists()
            assert not CountChange.objects.filter(event_key=LEAD, channel="in_app").exists()
        assert seen(alice)["overview"]["created"] == before["created"]

    def test_one_insert_however_many_changes_there_are(self, in_tenant: Any, django_assert_num_queries: Any) -> None:
        now = timezone.now()
        assert not CountChange.objects.exists()
        with django_assert_num_queries(2):
            count([Change(LEAD, "email", now, {"created": 1}) for _ in range(500)])
        with django_assert_num_queries(0):
            count([])
        (row,) = CountChange.objects.all()
        assert row.created == 500

    @pytest.mark.commits
    def test_folded_at_once_and_counted_meanwhile_everything_counts_once(self, alice: Api) -> None:
        now, each, rounds = timezone.now(), 5, 12
        ref = alice.tenant.ref
        looks: list[int] = []
        done = threading.Event()

        def look() -> None:
            with threads_close_connections(), bind(ref):
                while not done.is_set():
                    looks.append(analytics(today()).overview.sums["created"])

        def work(number: int) -> None:
            with bind(ref):
                for _ in range(rounds):
                    if number % 2:
                        fold(FOLDED)
                    else:
                        count([Change(LEAD, "email", now, {"created": 1, "sent": 1})] * each)

        reader = threading.Thread(target=look)
        reader.start()
        try:
            ran = at_once(4, work)
        finally:
            done.set()
            reader.join()
        assert ran.most_at_once > 1
        assert looks == sorted(looks)
        with bind(ref):
            assert analytics(today()).overview.sums["created"] == 2 * rounds * each
            fold(FOLDED)
            (row,) = DailyCount.objects.all()
            assert (row.created, row.sent, CountChange.objects.count()) == (2 * rounds * each, 2 * rounds * each, 0)


class TestDigests:
    def test_what_became_of_them(self, alice: Api, bob: Api, mallory: Api) -> None:
        bob.call("PUT", f"{PATH}/digest/settings", {"frequency": "daily"})
        raise_lead(alice, bob)
        raise_lead(alice, bob)
        while dispatcher.run_once(now=timezone.now() + timedelta(days=1, minutes=1)):
            pass
        data = alice.get(f"{PATH}/digest").json()["data"]
        assert {name: data[name] for name in ("scope", "digestsSent", "itemsDelivered", "avgItemsPerDigest")} == {
            "scope": "tenant", "digestsSent": 1, "itemsDelivered": 2, "avgItemsPerDigest": 2.0,
        }  # fmt: skip
        with bind(alice.tenant.ref):
            people = alice.user.__class__.objects.filter(status="active").count()
        assert data["subscribers"] == {"off": people - 1, "hourly": 0, "daily": 1, "weekly": 0}
        assert sum(day["digestsSent"] for day in data["dailyTrend"]) == 1
        assert len(data["dailyTrend"]) == 30
        own = bob.get(f"{PATH}/digest").json()["data"]
        assert own == {**data, "scope": "me", "subscribers": {"off": 0, "hourly": 0, "daily": 1, "weekly": 0}}
        other = mallory.get(f"{PATH}/digest").json()["data"]
        assert (other["digestsSent"], other["avgItemsPerDigest"], other["subscribers"]["daily"]) == (0, None, 0)

    def test_one_in_which_everything_was_read_is_skipped(self, alice: Api, bob: Api) -> None:
        bob.call("PUT", f"{PATH}/digest/settings", {"frequency": "daily"})
        raise_lead(alice, bob)
        bob.post("/notifications/mark-all-read")
        while dispatcher.run_once(now=timezone.now() + timedelta(days=1, minutes=1)):
            pass
        for person in (alice, bob):
            data = person.get(f"{PATH}/digest").json()["data"]
            assert (data["digestsSent"], data["skippedEmpty"], data["itemsDelivered"]) == (0, 1, 0)
        assert seen(alice)["suppressedByReason"] == {"already_read": 1}

    @pytest.mark.parametrize("query", ["from=2024-01-01&to=2025-01-01", "to=x", "channel=email"])
    def test_what_makes_no_sense_is_refused(self, bob: Api, query: str) -> None:
        assert bob.get(f"{PATH}/digest?{query}").status_code == 400
