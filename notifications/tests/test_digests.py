"""One mail for many: for who wants digests, and after quiet hours."""

import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from notifications.models import Delivery, Digest, DigestSetting
from notifications.services import digests, sending_digests, telling
from notifications.services.delivering import DELIVER
from notifications.services.digests import SEND_DIGEST, digests_changed, digests_dropped, open_digests
from notifications.services.sending_digests import send_digest
from notifications.tests.support import deliveries, raise_lead, told
from platform_site.binding import bind
from platform_site.ids import uuid7
from platform_site.outbox import dispatcher
from platform_site.outbox.clock import clock_of
from platform_site.outbox.models import OutboxRow
from tests.support import Api, at_once

TOMORROW = timedelta(days=1, minutes=1)


def wants(person: Api, frequency: str = "daily", **more: Any) -> None:
    with bind(person.tenant.ref):
        DigestSetting.objects.update_or_create(
            user_id=person.user.id, defaults={"frequency": frequency, "minute": 9 * 60, **more}
        )


def mails(person: Api, now: datetime | None = None) -> list[Any]:
    """What this person was mailed, after everything that is due then was done."""
    while dispatcher.run_once(now=now):
        pass
    return [one for one in mail.outbox if one.to == [person.user.email] and "confirm" not in one.subject.lower()]


def digests_of(person: Api) -> list[Digest]:
    with bind(person.tenant.ref):
        return list(Digest.objects.filter(user_id=person.user.id).order_by("id"))


def lead(sender: Api, *people: Api, name: str = "Acme Corp") -> None:
    raise_lead(sender, *people, data={"leadName": name, "assignedBy": "Jane Doe", "leadId": 42})


def statuses(person: Api) -> list[tuple[str, str]]:
    return [(one.status, one.reason) for one in deliveries(person)]


class TestScheduled:
    def test_what_is_told_until_then_comes_as_one_mail(self, alice: Api, bob: Api) -> None:
        wants(bob)
        for name in ("Zeta", "Beta", "Gamma"):
            lead(alice, bob, name=name)
        assert (len(told(bob)), mails(bob)) == (3, [])
        (sent,) = mails(bob, timezone.now() + TOMORROW)
        assert all(name in sent.body for name in ("Zeta", "Beta", "Gamma"))
        assert statuses(bob) == [("sent", "")] * 3
        (digest,) = digests_of(bob)
        assert (digest.status, digest.items) == ("sent", 3)
        assert sent.extra_headers["Message-ID"].startswith(f"<{digest.id.hex}.digest@")

    def test_nothing_waits_for_who_is_told_nothing(self, bob: Api) -> None:
        wants(bob)
        assert not OutboxRow.objects.filter(reaction__startswith="notifications.").exists()
        assert digests_of(bob) == []

    def test_after_days_of_downtime_there_is_one(self, alice: Api, bob: Api) -> None:
        wants(bob, "hourly")
        lead(alice, bob)
        assert len(mails(bob, timezone.now() + timedelta(days=3))) == 1

    def test_what_was_read_meanwhile_is_left_out_and_nothing_but_that_is_no_mail(self, alice: Api, bob: Api) -> None:
        wants(bob)
        lead(alice, bob, name="Zeta")
        lead(alice, bob, name="Beta")
        bob.post(f"/notifications/{told(bob)[0]['id']}/read")
        (sent,) = mails(bob, timezone.now() + TOMORROW)
        assert "Zeta" in sent.body
        assert "Beta" not in sent.body
        wants(bob, "weekly")
        lead(alice, bob, name="Gamma")
        bob.post("/notifications/mark-all-read")
        assert len(mails(bob, timezone.now() + 8 * TOMORROW)) == 1
        assert [one.status for one in digests_of(bob)] == ["sent", "skipped"]
        assert statuses(bob)[-1] == ("suppressed", "already_read")

    def test_urgent_and_mandatory_mails_do_not_wait_for_it(self, bob: Api) -> None:
        wants(bob)
        body = {"currentPassword": "correct horse battery", "newPassword": "another sentence of words"}
        bob.post("/auth/password/change", body)
        assert any("password" in one.subject.lower() for one in mails(bob))

    def test_who_wants_none_gets_each_by_itself(self, alice: Api, bob: Api) -> None:
        wants(alice)
        lead(alice, alice, bob)
        assert (len(mails(bob)), mails(alice)) == (1, [])

    def test_of_many_the_newest_are_shown_and_the_others_counted(
        self, alice: Api, bob: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sending_digests, "MOST_SHOWN", 2)
        wants(bob)
        for name in ("Zeta", "Beta", "Gamma", "Delta"):
            lead(alice, bob, name=name)
        (sent,) = mails(bob, timezone.now() + TOMORROW)
        assert "Delta" in sent.body
        assert "New lead: Acme" not in sent.body
        assert "2 more" in sent.body
        assert statuses(bob) == [("sent", "")] * 4

    def test_a_server_that_is_away_gets_the_same_mail_later(
        self, alice: Api, bob: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wants(bob)
        lead(alice, bob, name="Zeta")
        with monkeypatch.context() as away:
            away.setattr(EmailBackend, "send_messages", _fail)
            assert mails(bob, timezone.now() + TOMORROW) == []
        assert [one.status for one in digests_of(bob)] == ["closed"]
        # Told after it was closed: that is for the next.
        lead(alice, bob, name="Beta")
        # Both are due by now, and which of two goes first is nobody's promise.
        sent = mails(bob, timezone.now() + 3 * TOMORROW)
        assert sorted(("Zeta" in one.body, "Beta" in one.body) for one in sent) == [(False, True), (True, False)]

    def test_one_that_runs_twice_is_mailed_once(self, alice: Api, bob: Api) -> None:
        wants(bob)
        lead(alice, bob)
        assert len(mails(bob, timezone.now() + TOMORROW)) == 1
        with bind(bob.tenant.ref):
            assert send_digest(digests_of(bob)[0].id) is None
        assert len(mails(bob)) == 1

    def test_who_sent_it_and_died_before_the_rest_has_sent_it(
        self, alice: Api, bob: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def die(*_: Any) -> None:
            raise MemoryError

        wants(bob)
        lead(alice, bob)
        with monkeypatch.context() as dying:
            dying.setattr(sending_digests, "deliveries_sent", die)
            assert len(mails(bob, timezone.now() + TOMORROW)) == 1
        # Read since, and in the mail all the same.
        bob.post("/notifications/mark-all-read")
        assert len(mails(bob, timezone.now() + 2 * TOMORROW)) == 1
        assert statuses(bob) == [("sent", "")]
        assert [(one.status, one.items) for one in digests_of(bob)] == [("sent", 1)]

    def test_quiet_hours_hold_it(self, alice: Api, bob: Api) -> None:
        wants(bob)
        lead(alice, bob)
        until = timezone.now() + timedelta(days=2)
        bob.call("PUT", "/notifications/preferences/dnd", {"enabled": True, "days": [], "snoozeUntil": _wire(until)})
        assert mails(bob, timezone.now() + TOMORROW) == []
        assert len(mails(bob, until + timedelta(minutes=1))) == 1

    def test_other_settings_move_what_was_gathered_and_turning_it_off_sends_it(self, alice: Api, bob: Api) -> None:
        wants(bob, "weekly", day_of_week=1)
        lead(alice, bob)
        wants(bob, "hourly")
        with bind(bob.tenant.ref):
            digests_changed(user_id=bob.user.id)
        (digest,) = digests_of(bob)
        assert digest.due_at <= timezone.now() + timedelta(hours=1)
        assert mails(bob) == []
        wants(bob, "off")
        with bind(bob.tenant.ref):
            digests_changed(user_id=bob.user.id)
        assert len(mails(bob)) == 1

    def test_what_was_gathered_is_not_mailed_to_who_unsubscribes(self, alice: Api, bob: Api) -> None:
        wants(bob)
        lead(alice, bob)
        with bind(bob.tenant.ref):
            digests_dropped(user_id=bob.user.id)
        assert mails(bob, timezone.now() + TOMORROW) == []
        assert statuses(bob) == [("suppressed", "unsubscribed")]
        assert len(told(bob)) == 1

    @pytest.mark.commits
    def test_told_by_many_at_once_there_is_one_and_nothing_is_missing(self, alice: Api, bob: Api) -> None:
        wants(bob)
        done = at_once(8, lambda number: raise_lead(Api(token=alice.token), bob, dedupKey=str(number)).status_code)
        assert done.most_at_once > 1
        assert set(done.results) == {202}
        (digest,) = digests_of(bob)
        assert {one.digest_id for one in deliveries(bob)} == {digest.id}
        assert OutboxRow.objects.filter(reaction=SEND_DIGEST).count() == 1

    @pytest.mark.commits
    def test_what_is_told_while_it_is_closed_is_mailed_too(
        self, alice: Api, bob: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        wants(bob)
        lead(alice, bob, name="Zeta")
        found, sent = threading.Event(), threading.Event()

        def slow(*arguments: Any) -> Any:
            digests = open_digests(*arguments)
            found.set()
            # Long enough to send it in, for who is not kept waiting.
            sent.wait(1)
            return digests

        monkeypatch.setattr(telling, "open_digests", slow)

        def tell_or_send(number: int) -> None:
            if number == 0:
                lead(Api(token=alice.token), bob, name="Beta")
                return
            found.wait(5)
            dispatcher.run_once(now=timezone.now() + TOMORROW)
            sent.set()

        at_once(2, tell_or_send)
        monkeypatch.undo()
        bodies = " ".join(one.body for one in mails(bob, timezone.now() + 2 * TOMORROW))
        assert ("Zeta" in bodies, "Beta" in bodies) == (True, True)


class TestAfterQuietHours:
    @pytest.fixture
    def until(self, bob: Api) -> datetime:
        until = timezone.now() + timedelta(hours=3)
        bob.call("PUT", "/notifications/preferences/dnd", {"enabled": True, "days": [], "snoozeUntil": _wire(until)})
        return until

    def test_a_few_come_one_by_one(self, alice: Api, bob: Api, until: datetime) -> None:
        for _ in range(3):
            lead(alice, bob)
        assert len(mails(bob, until + timedelta(seconds=1))) == 3

    def test_more_than_a_few_come_as_one(self, alice: Api, bob: Api, until: datetime) -> None:
        for number in range(5):
            lead(alice, bob, name=f"Lead {number}")
        bob.post(f"/notifications/{told(bob)[0]['id']}/read")
        (sent,) = mails(bob, until + timedelta(seconds=1))
        assert [f"Lead {number}" in sent.body for number in range(5)] == [True] * 4 + [False]
        assert statuses(bob) == [("sent", "")] * 4 + [("suppressed", "already_read")]
        assert not OutboxRow.objects.filter(reaction__startswith="notifications.").exists()

    @pytest.mark.commits
    def test_whoever_of_many_wakes_first_bundles_for_all(self, alice: Api, bob: Api, until: datetime) -> None:
        for _ in range(8):
            lead(alice, bob)
        now = until + timedelta(seconds=1)
        done = at_once(4, lambda _: [dispatcher.run_once(limit=2, now=now) for _ in range(4)])
        assert done.most_at_once > 1
        assert len(mails(bob, now)) == 1
        assert statuses(bob) == [("sent", "")] * 8

    @pytest.mark.commits
    def test_two_that_wake_at_the_same_moment_make_one_bundle(
        self, alice: Api, bob: Api, until: datetime, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(4):
            lead(alice, bob)
        both = threading.Barrier(2)

        def made() -> Any:
            with suppress(threading.BrokenBarrierError):
                both.wait(1)
            return uuid7()

        monkeypatch.setattr(digests, "uuid7", made)
        now = until + timedelta(seconds=1)

        def wake(number: int) -> bool:
            with bind(bob.tenant.ref), clock_of(now):
                held = Delivery.objects.select_related("notification").order_by("id")[number]
                return digests.bundle_what_was_held(held)

        assert at_once(2, wake).results == [True, True]
        monkeypatch.undo()
        assert len(digests_of(bob)) == 1
        assert len(mails(bob, now)) == 1

    def test_hours_that_begin_before_it_is_sent_hold_it_too(self, alice: Api, bob: Api) -> None:
        lead(alice, bob)
        until = timezone.now() + timedelta(hours=3)
        bob.call("PUT", "/notifications/preferences/dnd", {"enabled": True, "days": [], "snoozeUntil": _wire(until)})
        assert mails(bob) == []
        assert len(mails(bob, until + timedelta(seconds=1))) == 1


def _wire(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fail(self: EmailBackend, messages: Any) -> int:
    raise ConnectionRefusedError("away")


def test_what_was_given_up_can_be_re_driven(alice: Api, bob: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from platform_site.outbox.services import redrive

    lead(alice, bob)
    with monkeypatch.context() as away:
        away.setattr(EmailBackend, "send_messages", _fail)
        for hours in range(1, 14):
            mails(bob, timezone.now() + timedelta(hours=hours))
    assert statuses(bob) == [("failed", "gave_up")]
    assert [one.last_error for one in deliveries(bob)] == ["ConnectionRefusedError"]
    assert redrive(row_id=OutboxRow.objects.get(reaction=DELIVER).id) == 1
    assert len(mails(bob)) == 1
    assert statuses(bob) == [("sent", "")]


def test_what_could_not_be_sent_for_a_week_is_not_sent(alice: Api, bob: Api) -> None:
    lead(alice, bob)
    with bind(bob.tenant.ref):
        Delivery.objects.update(created_at=timezone.now() - timedelta(days=8))
    assert mails(bob) == []
    assert statuses(bob) == [("suppressed", "expired")]
