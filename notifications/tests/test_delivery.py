"""From an event to the mail: who is told, on which ways, once, and not in vain."""

from datetime import UTC, datetime, timedelta
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.db.models import Sum
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from notifications.channels.base import Outcome
from notifications.models import CountChange, Delivery, DoNotDisturb, Notification, Preference
from notifications.services import delivering
from notifications.services.delivering import DELIVER, deliver
from notifications.services.outcomes import deliveries_failed, deliveries_sent, deliveries_suppressed
from notifications.services.telling import notify
from notifications.tests.support import LEAD, VALUES, deliveries, raise_lead, told
from platform_site.binding import bind
from platform_site.notification_events import notification_events
from platform_site.outbox import claiming, dispatcher
from platform_site.outbox.models import OutboxRow
from tests.support import Api, at_once


def lead_mails() -> list[Any]:
    """What was mailed about leads, after all that is due was done."""
    dispatcher.drain()
    return [one for one in mail.outbox if "lead" in one.subject]


def choose(person: Api, channel: str, *, on: bool) -> None:
    answer = person.call("PUT", "/notifications/preferences", {"eventKey": LEAD, "channel": channel, "enabled": on})
    assert answer.status_code == 200, answer.content


def test_the_mail_says_what_the_inbox_says_and_where_to_go(alice: Api, bob: Api) -> None:
    raise_lead(alice, bob)
    (sent,) = lead_mails()
    (delivery,) = deliveries(bob)
    assert (sent.to, sent.subject) == ([bob.user.email], "New lead: Acme Corp")
    assert "/sales/leads/42" in sent.body
    assert "/sales/leads/42" in str(sent.alternatives[0][0])
    assert sent.extra_headers["Message-ID"].startswith(f"<{delivery.id.hex}.")
    assert (delivery.status, delivery.sent_at is not None) == ("sent", True)


def test_who_wants_no_mail_gets_none_and_who_wants_only_mail_sees_nothing(alice: Api, bob: Api) -> None:
    choose(bob, "email", on=False)
    raise_lead(alice, bob)
    assert (len(told(bob)), lead_mails()) == (1, [])
    choose(bob, "email", on=True)
    choose(bob, "in_app", on=False)
    raise_lead(alice, bob)
    assert (len(told(bob)), len(lead_mails())) == (1, 1)
    choose(bob, "email", on=False)
    assert raise_lead(alice, bob).json()["data"] == {"told": 0}


def test_a_choice_after_the_fact_still_stops_the_mail(alice: Api, bob: Api) -> None:
    raise_lead(alice, bob)
    choose(bob, "email", on=False)
    assert lead_mails() == []
    assert [(one.status, one.reason) for one in deliveries(bob)] == [("suppressed", "preference")]


@pytest.mark.parametrize("how", ["read", "dismissed", "all read"])
def test_what_was_read_is_not_mailed_any_more(alice: Api, bob: Api, how: str) -> None:
    raise_lead(alice, bob)
    one = told(bob)[0]["id"]
    if how == "read":
        bob.post(f"/notifications/{one}/read")
    elif how == "dismissed":
        bob.call("DELETE", f"/notifications/{one}")
    else:
        bob.post("/notifications/mark-all-read")
    assert not OutboxRow.objects.filter(reaction=DELIVER).exists()
    assert lead_mails() == []
    assert [(row.status, row.reason) for row in deliveries(bob)] == [("suppressed", "already_read")]


def test_a_job_that_was_claimed_before_it_was_read_looks_again(alice: Api, bob: Api) -> None:
    raise_lead(alice, bob)
    with bind(bob.tenant.ref):
        Notification.objects.update(read_at=timezone.now())
    assert lead_mails() == []
    assert [row.reason for row in deliveries(bob)] == ["already_read"]


def test_who_was_deactivated_meanwhile_gets_none(alice: Api, bob: Api) -> None:
    raise_lead(alice, bob)
    assert alice.call("DELETE", f"/users/{bob.user.id}").status_code == 200
    assert lead_mails() == []
    assert [row.reason for row in deliveries(bob)] == ["user_inactive"]


def test_the_same_thing_is_told_once(alice: Api, bob: Api) -> None:
    assert raise_lead(alice, bob, dedupKey="lead-42").json()["data"] == {"told": 1}
    assert raise_lead(alice, bob, dedupKey="lead-42").json()["data"] == {"told": 0}
    assert raise_lead(alice, alice, bob, dedupKey="lead-42").json()["data"] == {"told": 1}
    assert (len(told(bob)), len(deliveries(bob)), len(told(alice))) == (1, 1, 1)


def test_telling_a_hundred_costs_as_many_queries_as_telling_one(alice: Api, tenant: Any) -> None:
    with bind(tenant.ref):
        User.objects.bulk_create(
            User(email=f"p{n}@a.test", email_key=f"p{n}@a.test", profile_id=3, status="active") for n in range(101)
        )
        numbers = list(User.objects.filter(email__endswith="@a.test").values_list("id", flat=True))

    def queries(user_ids: list[int]) -> int:
        with bind(tenant.ref), CaptureQueriesContext(connection) as captured:
            assert notify(event=notification_events.get(LEAD), user_ids=user_ids, values=VALUES) == len(user_ids)
        return len(captured)

    assert queries(numbers[:1]) == queries(numbers[1:])


@pytest.mark.commits
def test_told_by_many_at_once_it_is_told_once(alice: Api, bob: Api) -> None:
    done = at_once(8, lambda _: raise_lead(Api(token=alice.token), bob, dedupKey="x").json()["data"]["told"])
    assert done.most_at_once > 1
    assert sum(done.results) == len(told(bob)) == len(deliveries(bob)) == 1


class TestFailures:
    def test_a_server_that_is_away_gets_it_later_as_the_same_mail(
        self, alice: Api, bob: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        raise_lead(alice, bob)
        with monkeypatch.context() as away:
            away.setattr(EmailBackend, "send_messages", _fail(SMTPServerDisconnected("gone")))
            assert lead_mails() == []
        row = OutboxRow.objects.get(reaction=DELIVER)
        assert (row.state, row.attempts, row.last_error) == ("pending", 1, "SMTPServerDisconnected")
        for claimed in claiming.claim(now=timezone.now() + timedelta(minutes=5)):
            dispatcher.run(claimed)
        assert [one.to for one in lead_mails()] == [[bob.user.email]]
        assert [one.status for one in deliveries(bob)] == ["sent"]

    def test_an_address_that_is_refused_for_good_is_not_tried_again(
        self, alice: Api, bob: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        raise_lead(alice, bob)
        refused = SMTPRecipientsRefused({bob.user.email: (550, b"no such user")})
        monkeypatch.setattr(EmailBackend, "send_messages", _fail(refused))
        dispatcher.drain()
        assert not OutboxRow.objects.filter(reaction=DELIVER).exists()
        assert [(one.status, one.reason) for one in deliveries(bob)] == [("failed", "address_refused")]

    def test_one_that_is_refused_for_now_is(self, alice: Api, bob: Api, monkeypatch: pytest.MonkeyPatch) -> None:
        raise_lead(alice, bob)
        refused = SMTPRecipientsRefused({bob.user.email: (450, b"later")})
        monkeypatch.setattr(EmailBackend, "send_messages", _fail(refused))
        dispatcher.drain()
        assert OutboxRow.objects.get(reaction=DELIVER).state == "pending"
        assert [one.status for one in deliveries(bob)] == ["pending"]

    def test_a_job_that_runs_twice_mails_once(self, alice: Api, bob: Api) -> None:
        raise_lead(alice, bob)
        (sent,) = lead_mails()
        with bind(bob.tenant.ref):
            deliver(deliveries(bob)[0].id)
        assert lead_mails() == [sent]

    def test_who_sent_it_and_died_before_the_rest_has_sent_it(
        self, alice: Api, bob: Api, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def die(*_: Any) -> None:
            raise MemoryError

        raise_lead(alice, bob)
        with monkeypatch.context() as dying:
            dying.setattr(delivering, "deliveries_sent", die)
            assert len(lead_mails()) == 1
        assert [(one.status, one.mailer, one.sent_at is None) for one in deliveries(bob)] == [
            ("pending", "platform", False)
        ]
        for claimed in claiming.claim(now=timezone.now() + timedelta(minutes=5)):
            dispatcher.run(claimed)
        assert len(lead_mails()) == 1
        assert [(one.status, one.mailer) for one in deliveries(bob)] == [("sent", "platform")]

    def test_what_is_closed_stays_closed_and_counts_once(self, alice: Api, bob: Api) -> None:
        raise_lead(alice, bob)
        with bind(bob.tenant.ref):
            (row,) = Delivery.objects.select_related("notification")
            deliveries_sent([row], Outcome(mailer="platform"), timezone.now())
            deliveries_failed([row], "address_refused")
            deliveries_suppressed([row], "already_read")
            counts = CountChange.objects.filter(channel="email").aggregate(
                Sum("sent"), Sum("failed"), Sum("suppressed")
            )
        assert [(one.status, one.reason) for one in deliveries(bob)] == [("sent", "")]
        assert counts == {"sent__sum": 1, "failed__sum": 0, "suppressed__sum": 0}


def _fail(problem: Exception) -> Any:
    def send_messages(self: EmailBackend, messages: Any) -> int:
        raise problem

    return send_messages


class TestFacts:
    """Events that follow the journal."""

    def test_who_gets_another_role_is_told_and_who_gave_it_is_not(self, alice: Api, bob: Api) -> None:
        alice.call("PATCH", f"/users/{bob.user.id}", {"role": "manager", "profileId": 2})
        dispatcher.drain()
        (one,) = told(bob)
        assert (one["eventKey"], one["title"]) == ("users.role_changed", "Your role is now Manager")
        assert told(alice) == []

    def test_another_name_is_nothing_to_tell(self, alice: Api, bob: Api) -> None:
        alice.call("PATCH", f"/users/{bob.user.id}", {"firstName": "Robert"})
        dispatcher.drain()
        assert told(bob) == []

    def test_a_fact_whose_reaction_runs_again_is_told_once(self, alice: Api, bob: Api) -> None:
        from platform_site.journal.models import JournalEntry
        from platform_site.outbox.registry import reactions

        alice.call("PATCH", f"/users/{bob.user.id}", {"role": "manager", "profileId": 2})
        dispatcher.drain()
        with bind(bob.tenant.ref):
            entry = JournalEntry.objects.filter(key="accounts.user_updated").latest("id")
            reactions.get("notifications.users.role_changed").handler(entry)
        assert len(told(bob)) == 1

    def test_a_changed_password_is_told_through_quiet_hours(self, bob: Api) -> None:
        body = {"currentPassword": "correct horse battery", "newPassword": "another sentence of words"}
        assert bob.post("/auth/password/change", body).status_code == 200
        dispatcher.drain()
        with bind(bob.tenant.ref):
            assert [row.event_key for row in Notification.objects.all()] == ["auth.password_changed"]


class TestQuietHours:
    def test_mail_waits_until_they_end_and_the_inbox_does_not(self, alice: Api, bob: Api) -> None:
        until = timezone.now() + timedelta(hours=3)
        bob.call("PUT", "/notifications/preferences/dnd", {"enabled": True, "days": [], "snoozeUntil": _wire(until)})
        raise_lead(alice, bob)
        assert (len(told(bob)), lead_mails()) == (1, [])
        (held,) = deliveries(bob)
        assert abs(held.held_until - until) < timedelta(seconds=1)
        for claimed in claiming.claim(now=until + timedelta(seconds=1)):
            dispatcher.run(claimed)
        assert len(lead_mails()) == 1

    def test_turning_them_off_lets_what_waits_go_at_once(self, alice: Api, bob: Api) -> None:
        until = timezone.now() + timedelta(hours=3)
        bob.call("PUT", "/notifications/preferences/dnd", {"enabled": True, "days": [], "snoozeUntil": _wire(until)})
        raise_lead(alice, bob)
        assert lead_mails() == []
        bob.call("PUT", "/notifications/preferences/dnd", {"enabled": False})
        assert len(lead_mails()) == 1

    def test_those_of_others_hold_nobody_up(self, alice: Api, bob: Api) -> None:
        until = timezone.now() + timedelta(hours=3)
        alice.call("PUT", "/notifications/preferences/dnd", {"enabled": True, "snoozeUntil": _wire(until)})
        raise_lead(alice, bob)
        assert len(lead_mails()) == 1


def _wire(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_who_is_erased_leaves_nothing(alice: Api, bob: Api) -> None:
    raise_lead(alice, bob)
    raise_lead(bob_as_manager(alice, bob), alice)
    choose(bob, "email", on=False)
    bob.call("PUT", "/notifications/preferences/dnd", {"enabled": True})
    assert len(told(alice)) == 1
    alice.call("DELETE", f"/users/{bob.user.id}")
    assert alice.call("DELETE", f"/users/{bob.user.id}/permanent").status_code == 200
    dispatcher.drain()
    with bind(bob.tenant.ref):
        for model in (Notification, Delivery, Preference, DoNotDisturb):
            assert not model._default_manager.exists(), model
    assert told(alice) == []


def bob_as_manager(alice: Api, bob: Api) -> Api:
    """Bob, now with the right to raise events."""
    assert alice.call("PATCH", f"/users/{bob.user.id}", {"role": "manager", "profileId": 2}).status_code == 200
    return bob
