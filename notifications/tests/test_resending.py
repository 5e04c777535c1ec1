"""A mail that did not arrive goes out again when staff say so: once, counted rightly, and written down."""

from datetime import timedelta
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db.models import Sum
from django.utils import timezone

from notifications.models import CountChange, Delivery, Suppression
from notifications.services.delivering import DELIVER
from notifications.services.engagement import delivery_fact
from notifications.services.resending import delivery_send_again
from notifications.services.suppressing import ALL, Reason, suppress, suppression_lift
from notifications.tests.support import LEAD, deliveries, raise_lead
from platform_site.binding import bind
from platform_site.errors import PlatformError
from platform_site.journal.models import JournalEntry
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from tests.support import Api


def lead_mails() -> list[Any]:
    dispatcher.drain()
    return [one for one in mail.outbox if "lead" in one.subject]


def again(person: Api, delivery: Delivery) -> bool:
    with bind(person.tenant.ref):
        return delivery_send_again(delivery_id=delivery.id)


def counted(person: Api) -> dict[str, int]:
    """What the counts say of the leads' mails, without what is 0."""
    names = ("created", "suppressed", "sent", "bounced", "failed")
    with bind(person.tenant.ref):
        sums = CountChange.objects.filter(event_key=LEAD, channel="email").aggregate(
            **{name: Sum(name) for name in names}
        )
    return {name: amount for name, amount in sums.items() if amount}


def bounced(alice: Api, bob: Api) -> Delivery:
    raise_lead(alice, bob)
    assert len(lead_mails()) == 1
    (delivery,) = deliveries(bob)
    with bind(bob.tenant.ref):
        delivery.notification  # noqa: B018 - loaded, as the function wants it
        delivery_fact(delivery, "bounced", timezone.now())
    return delivery


def test_one_that_bounced_goes_out_again_under_the_same_id(alice: Api, bob: Api) -> None:
    delivery = bounced(alice, bob)
    assert counted(bob) == {"created": 1, "sent": 1, "bounced": 1}
    assert again(bob, delivery)
    (waiting,) = deliveries(bob)
    assert (waiting.status, waiting.sent_at, waiting.bounced_at) == ("pending", None, None)
    first, second = lead_mails()
    assert first.extra_headers["Message-ID"] == second.extra_headers["Message-ID"]
    assert deliveries(bob)[0].status == "sent"
    assert counted(bob) == {"created": 1, "sent": 1}
    with bind(bob.tenant.ref):
        entry = JournalEntry.objects.get(key="notifications.delivery_resent")
    assert (entry.subject_id, entry.data["before"]) == (str(delivery.id), "sent")


def test_asked_twice_it_goes_out_once(alice: Api, bob: Api) -> None:
    delivery = bounced(alice, bob)
    assert [again(bob, delivery), again(bob, delivery)] == [True, False]
    assert len(lead_mails()) == 2
    with bind(bob.tenant.ref):
        assert JournalEntry.objects.filter(key="notifications.delivery_resent").count() == 1


def test_one_that_was_given_up_gets_its_dead_job_back(alice: Api, bob: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(self: EmailBackend, messages: Any) -> int:
        raise SMTPServerDisconnected

    with monkeypatch.context() as patch:
        patch.setattr(EmailBackend, "send_messages", away)
        raise_lead(alice, bob)
        OutboxRow.objects.filter(reaction=DELIVER).update(attempts=dispatcher.MAX_ATTEMPTS - 1)
        dispatcher.drain()
    (delivery,) = deliveries(bob)
    assert (delivery.status, OutboxRow.objects.get(reaction=DELIVER).state) == ("failed", "dead")
    assert again(bob, delivery)
    assert len(lead_mails()) == 1
    assert not OutboxRow.objects.filter(reaction=DELIVER).exists()
    assert counted(bob) == {"created": 1, "sent": 1}


def test_one_whose_address_was_suppressed_waits_for_that_to_be_lifted(alice: Api, bob: Api) -> None:
    with bind(bob.tenant.ref):
        suppress(bob.user.email, Reason.HARD_BOUNCE, ALL)
    raise_lead(alice, bob)
    assert lead_mails() == []
    (delivery,) = deliveries(bob)
    assert (delivery.status, delivery.reason) == ("suppressed", "suppression_list")
    with pytest.raises(PlatformError, match="conflict"):
        again(bob, delivery)
    with bind(bob.tenant.ref):
        suppression_lift(Suppression.objects.get().id)
    assert again(bob, delivery)
    assert len(lead_mails()) == 1
    assert counted(bob) == {"created": 1, "sent": 1}


@pytest.mark.parametrize(
    "change",
    [
        {"bounced_at": None},
        {"status": "suppressed", "bounced_at": None, "reason": "preference"},
        {"created_at": timezone.now() - timedelta(days=8)},
    ],
    ids=["arrived", "not wanted", "too old"],
)
def test_what_is_not_sent_again(alice: Api, bob: Api, change: dict[str, Any]) -> None:
    delivery = bounced(alice, bob)
    with bind(bob.tenant.ref):
        Delivery.objects.filter(pk=delivery.pk).update(**change)
    before = counted(bob)
    with pytest.raises(PlatformError, match="conflict"):
        again(bob, delivery)
    assert (len(lead_mails()), counted(bob)) == (1, before)


def test_what_is_not_here_is_not_found(alice: Api, bob: Api, mallory: Api) -> None:
    delivery = bounced(alice, bob)
    with pytest.raises(PlatformError, match="not_found"):
        again(mallory, delivery)
