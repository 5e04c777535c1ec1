"""Addresses that are left alone: why, for how long, and what outlives whom."""

from datetime import timedelta
from smtplib import SMTPRecipientsRefused
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from accounts.models import User
from accounts.services.people import user_create
from notifications.models import SoftBounce, Suppression
from notifications.services.suppressing import (
    ALL,
    OPTIONAL,
    Reason,
    address_hash,
    is_suppressed,
    refused_for_good,
    soft_bounced,
    subscribe,
    suppress,
    suppression_lift,
)
from notifications.tests.support import deliveries, raise_lead
from platform_site.binding import bind
from platform_site.errors import PlatformError
from platform_site.journal.models import JournalEntry
from platform_site.outbox import dispatcher
from tests.support import Api

pytestmark = pytest.mark.django_db
ADDRESS = "Ada@Example.test"


@pytest.mark.parametrize(
    ("reason", "scope", "mandatory_goes"),
    [(Reason.HARD_BOUNCE, ALL, False), (Reason.COMPLAINT, ALL, False), (Reason.UNSUBSCRIBED, OPTIONAL, True)],
)
def test_what_still_goes(in_tenant: Any, reason: Reason, scope: Any, mandatory_goes: bool) -> None:
    assert suppress(ADDRESS, reason, scope)
    assert is_suppressed("ada@EXAMPLE.test ", optional=True)
    assert is_suppressed(ADDRESS, optional=False) is not mandatory_goes
    assert not is_suppressed("ada@example.com", optional=True)


def test_the_same_again_changes_nothing_and_is_written_once(in_tenant: Any) -> None:
    assert suppress(ADDRESS, Reason.HARD_BOUNCE, ALL)
    assert not suppress(ADDRESS, Reason.COMPLAINT, ALL)
    assert not suppress("", Reason.COMPLAINT, ALL)
    assert Suppression.objects.get().reason == "hard_bounce"
    (entry,) = JournalEntry.objects.filter(key="notifications.address_suppressed")
    assert "example" not in str(entry.data)
    suppression = Suppression.objects.get()
    suppression_lift(suppression.id)
    with pytest.raises(PlatformError, match="not_found"):
        suppression_lift(suppression.id)
    assert not is_suppressed(ADDRESS, optional=True)
    (lifted,) = JournalEntry.objects.filter(key="notifications.suppression_lifted")
    assert lifted.subject_id == str(suppression.id)


def test_lifting_a_pause_forgets_the_bounces_that_led_to_it(in_tenant: Any) -> None:
    now = timezone.now()
    assert [soft_bounced(ADDRESS, now) for _ in range(3)] == [False, False, True]
    suppression_lift(Suppression.objects.get().id)
    assert not soft_bounced(ADDRESS, now)
    assert not is_suppressed(ADDRESS, optional=True)


def test_subscribing_again_lifts_what_one_said_oneself_and_nothing_else(in_tenant: Any) -> None:
    suppress(ADDRESS, Reason.UNSUBSCRIBED, OPTIONAL)
    suppress(ADDRESS, Reason.HARD_BOUNCE, ALL)
    assert subscribe(ADDRESS)
    assert not subscribe(ADDRESS)
    assert [row.reason for row in Suppression.objects.all()] == ["hard_bounce"]


def test_three_soft_bounces_within_a_week_pause_for_a_week(in_tenant: Any) -> None:
    now = timezone.now()
    assert not soft_bounced(ADDRESS, now - timedelta(days=8))
    assert not soft_bounced(ADDRESS, now - timedelta(days=6))
    assert not soft_bounced(ADDRESS, now - timedelta(days=1))
    assert not is_suppressed(ADDRESS, optional=False)
    assert soft_bounced(ADDRESS, now)
    assert is_suppressed(ADDRESS, optional=False)
    row = Suppression.objects.get()
    assert row.expires_at == now + timedelta(days=7)
    Suppression.objects.update(expires_at=now)
    assert not is_suppressed(ADDRESS, optional=False)


def test_what_lasts_is_not_made_shorter_and_what_ends_may_be_made_to_last(in_tenant: Any) -> None:
    now = timezone.now()
    assert suppress(ADDRESS, Reason.SOFT_BOUNCE, ALL, expires_at=now + timedelta(days=7))
    assert not suppress(ADDRESS, Reason.SOFT_BOUNCE, ALL, expires_at=now + timedelta(days=1))
    assert suppress(ADDRESS, Reason.HARD_BOUNCE, ALL)
    assert not suppress(ADDRESS, Reason.SOFT_BOUNCE, ALL, expires_at=now + timedelta(days=9))
    row = Suppression.objects.get()
    assert (row.reason, row.expires_at) == ("hard_bounce", None)


def test_a_tenant_leaves_alone_only_its_own(tenant: Any, other_tenant: Any) -> None:
    with bind(tenant.ref):
        suppress(ADDRESS, Reason.HARD_BOUNCE, ALL)
        here = address_hash(ADDRESS)
    with bind(other_tenant.ref):
        assert not is_suppressed(ADDRESS, optional=True)
        # Not even the hash tells that it is the same address.
        assert address_hash(ADDRESS) != here


def test_a_new_key_forgets_nobody(in_tenant: Any, settings: Any) -> None:
    suppress(ADDRESS, Reason.HARD_BOUNCE, ALL)
    settings.TOKEN_KEYS = [("next", "n" * 40), *settings.TOKEN_KEYS]
    assert is_suppressed(ADDRESS, optional=False)
    settings.TOKEN_KEYS = settings.TOKEN_KEYS[:1]
    assert is_suppressed(ADDRESS, optional=False)


def test_what_a_mail_server_refuses_for_good_is_not_tried_again(
    alice: Api, bob: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Any, messages: Any) -> int:
        raise SMTPRecipientsRefused({bob.user.email: (550, b"5.1.1 no such user")})

    with monkeypatch.context() as patched:
        patched.setattr(EmailBackend, "send_messages", refuse)
        raise_lead(alice, bob)
        dispatcher.drain()
    mail.outbox.clear()
    raise_lead(alice, bob)
    dispatcher.drain()
    assert mail.outbox == []
    assert [row.reason for row in deliveries(bob)] == ["address_refused", "suppression_list"]


def test_erasure_keeps_the_hash_and_no_address(alice: Api, tenant: Any) -> None:
    with bind(tenant.ref):
        made = user_create(email=ADDRESS, first_name="Ada")
        suppress(ADDRESS, Reason.COMPLAINT, ALL)
        refused_for_good(alice.user.email)
        SoftBounce.objects.create(id=made.uuid, address_hash=address_hash(ADDRESS), at=timezone.now())
        User.objects.filter(pk=made.pk).update(status=User.Status.INACTIVE)
    assert alice.call("DELETE", f"/users/{made.id}/permanent").status_code == 200
    dispatcher.drain()
    with bind(tenant.ref):
        rows = {row.reason: row.email for row in Suppression.objects.all()}
        assert rows == {"complaint": "", "hard_bounce": alice.user.email}
        assert is_suppressed(ADDRESS, optional=False)
