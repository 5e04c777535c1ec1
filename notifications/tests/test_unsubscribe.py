"""The way out of a mail: headers, the page, one click, and what they do."""

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.test.client import MULTIPART_CONTENT
from django.utils import timezone

from accounts.models import User
from notifications.mailing.tokens import EVERYTHING_SCOPE, Purpose, make_mail_token, read_mail_token
from notifications.mailing.way_back import way_out
from notifications.models import CountChange, Delivery, DigestSetting, Preference, Suppression, TenantPreference
from notifications.selectors import layers
from notifications.tests.support import LEAD, deliveries, raise_lead
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from platform_site.notification_events import EMAIL, notification_events
from platform_site.outbox import dispatcher
from platform_site.pages.middleware import STRICT_POLICY
from tests.support import Api

ONE_CLICK = "List-Unsubscribe=One-Click"
FORM = "application/x-www-form-urlencoded"


def link_of(person: Api) -> str:
    """The path in the newest mail to this person."""
    sent = [one for one in mail.outbox if one.to == [person.user.email]][-1]
    match = re.fullmatch(r"<https?://[^/]+(/unsubscribe/[\w-]+)>", sent.extra_headers["List-Unsubscribe"])
    assert match is not None
    return match[1]


@pytest.fixture
def link(alice: Api, bob: Api) -> str:
    raise_lead(alice, bob)
    dispatcher.drain()
    return link_of(bob)


def wants_lead_mail(person: Api) -> bool:
    with bind(person.tenant.ref):
        decided = layers(user_ids=[person.user.id], event_key=LEAD)
        return decided.wish(notification_events.get(LEAD), EMAIL, person.user.id).enabled


def digest_link(person: Api) -> str:
    with bind(person.tenant.ref):
        DigestSetting.objects.create(user=person.user, frequency="daily", minute=540)
        url = way_out(person.user, None).unsubscribe_url
    return "/unsubscribe/" + url.rpartition("/")[2]


def unsubscribed_count(tenant: Any) -> int:
    with bind(tenant.ref):
        return sum(CountChange.objects.values_list("unsubscribed", flat=True))


def test_a_mail_says_how_to_leave_and_the_link_is_whole_on_the_wire(link: str, bob: Api) -> None:
    sent = [one for one in mail.outbox if one.to == [bob.user.email]][-1]
    assert sent.extra_headers["List-Unsubscribe-Post"] == ONE_CLICK
    assert link.encode() in sent.message().as_bytes()


@pytest.mark.parametrize(
    ("body", "content"),
    [(ONE_CLICK, FORM), ({"List-Unsubscribe": "One-Click"}, MULTIPART_CONTENT)],
    ids=["urlencoded", "multipart"],
)
def test_one_click_without_cookies_turns_the_event_off_once(
    link: str, bob: Api, tenant: Any, body: Any, content: str
) -> None:
    browser = Client(enforce_csrf_checks=True)
    for _ in range(2):
        answer = browser.post(link, body, content_type=content)
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/plain")
        assert "Location" not in answer
        assert not answer.cookies
    assert not wants_lead_mail(bob)
    (delivery,) = deliveries(bob)
    assert delivery.unsubscribed_at is not None
    assert unsubscribed_count(tenant) == 1
    with bind(tenant.ref):
        assert JournalEntry.objects.filter(key="notifications.unsubscribed", actor_id=bob.user.uuid).count() == 1


def test_opening_the_page_changes_nothing_and_it_is_kept_nowhere(link: str, bob: Api) -> None:
    browser = Client()
    answer = browser.get(link)
    assert answer.status_code == 200
    assert browser.head(link).status_code == 200
    assert wants_lead_mail(bob)
    headers = ("Referrer-Policy", "Cache-Control", "X-Robots-Tag")
    assert [answer[name] for name in headers] == ["no-referrer", "no-store", "noindex"]
    assert answer["Content-Security-Policy"] == STRICT_POLICY
    assert not answer.cookies
    page = answer.content.decode()
    assert bob.user.email not in page
    assert link.rpartition("/")[2] not in page
    assert "<script" not in page
    assert f'value="{LEAD}" checked' in page


def test_the_page_unsubscribes_from_this_from_all_and_takes_it_back(link: str, bob: Api, tenant: Any) -> None:
    browser = Client(enforce_csrf_checks=True)
    assert "You are unsubscribed." in browser.post(link, {"action": "this"}).content.decode()
    assert not wants_lead_mail(bob)
    browser.post(link, {"action": "choose", "event": [LEAD]})
    assert wants_lead_mail(bob)
    assert "No optional mail" in browser.post(link, {"action": "all"}).content.decode()
    with bind(tenant.ref):
        assert [row.scope for row in Suppression.objects.all()] == ["optional"]
    browser.post(link, {"action": "again"})
    with bind(tenant.ref):
        assert not Suppression.objects.exists()
    assert wants_lead_mail(bob)


def test_switches_leave_alone_what_is_not_for_the_reader_to_decide(link: str, bob: Api, tenant: Any) -> None:
    with bind(tenant.ref):
        TenantPreference.objects.create(event_key=LEAD, channel=EMAIL, enforced=True)
    page = Client().get(link).content.decode()
    assert f'value="{LEAD}" checked disabled' in page
    Client().post(link, {"action": "choose"})
    with bind(tenant.ref):
        assert not Preference.objects.filter(event_key=LEAD).exists()
        mandatory = [one.key for one in notification_events if EMAIL in one.mandatory]
        assert not Preference.objects.filter(event_key__in=mandatory).exists()


def test_who_left_everything_gets_only_what_is_mandatory(link: str, alice: Api, bob: Api) -> None:
    Client().post(link, {"action": "all"})
    mail.outbox.clear()
    raise_lead(alice, bob)
    dispatcher.drain()
    assert mail.outbox == []
    assert [row.reason for row in deliveries(bob)][-1] == "suppression_list"


def test_what_nobody_can_turn_off_has_no_way_out(bob: Api, tenant: Any) -> None:
    event = notification_events.get(LEAD)
    with bind(tenant.ref):
        assert way_out(bob.user, event).unsubscribe_url
        TenantPreference.objects.create(event_key=LEAD, channel=EMAIL, enforced=True)
        assert way_out(bob.user, event).unsubscribe_url == ""
        for one in notification_events:
            if EMAIL in one.mandatory:
                assert way_out(bob.user, one).unsubscribe_url == ""


def test_a_digests_link_turns_digests_off_and_a_bundles_link_all_mail(bob: Api, tenant: Any) -> None:
    path = digest_link(bob)
    for _ in range(2):
        assert Client().post(path, ONE_CLICK, content_type=FORM).status_code == 200
    with bind(tenant.ref):
        assert DigestSetting.objects.get(user=bob.user).frequency == "off"
        assert not Suppression.objects.exists()
        bundle = way_out(bob.user, None).unsubscribe_url
        found = read_mail_token(bundle.rpartition("/")[2], Purpose.UNSUBSCRIBE)
        assert found is not None
        assert found.scope == EVERYTHING_SCOPE
    assert unsubscribed_count(tenant) == 1


def test_the_link_works_after_the_person_and_the_company_were_shut_out(link: str, bob: Api, tenant: Any) -> None:
    with bind(tenant.ref):
        User.objects.filter(pk=bob.user.pk).update(status=User.Status.INACTIVE)
    type(tenant).objects.filter(pk=tenant.pk).update(status="suspended")
    assert Client().post(link, ONE_CLICK, content_type=FORM).status_code == 200
    assert not wants_lead_mail(bob)


def test_no_other_token_opens_it(link: str, bob: Api, mallory: Api, tenant: Any, other_tenant: Any) -> None:
    token = link.rpartition("/")[2]
    found = read_mail_token(token, Purpose.UNSUBSCRIBE)
    assert found is not None
    assert found.tenant_id == tenant.id
    assert [read_mail_token(token, other) for other in Purpose if other is not Purpose.UNSUBSCRIBE] == [None] * 3
    with bind(tenant.ref):
        elsewhere = make_mail_token(Purpose.OPEN, bob.user.uuid, found.scope)
        # Made with another tenant's person in it, it finds nobody.
        foreign = make_mail_token(Purpose.UNSUBSCRIBE, mallory.user.uuid, found.scope)
    with bind(other_tenant.ref):
        theirs = make_mail_token(Purpose.UNSUBSCRIBE, bob.user.uuid, found.scope)
    changed = ("A" if token[30] != "A" else "B").join((token[:30], token[31:]))
    for wrong in (elsewhere, foreign, theirs, changed, token[:-1], token[:-1] + "é", "x", "A" * 5000):
        for answer in (
            Client().get(f"/unsubscribe/{wrong}"),
            Client().post(f"/unsubscribe/{wrong}", {"action": "all"}),
        ):
            assert answer.status_code == 404
            assert "There is nothing here" in answer.content.decode()
    assert wants_lead_mail(bob)


def test_a_token_outlives_the_next_key_and_ends_with_its_own(link: str, settings: Any) -> None:
    settings.TOKEN_KEYS = [("next", "n" * 40), *settings.TOKEN_KEYS]
    assert Client().get(link).status_code == 200
    settings.TOKEN_KEYS = settings.TOKEN_KEYS[:1]
    assert Client().get(link).status_code == 404


def test_a_frontend_of_its_own_shows_and_says_the_same(link: str, bob: Api, api: Api, tenant: Any) -> None:
    path = "/notifications" + link
    assert api.get(path).json()["data"] == {
        "email": f"u***@{bob.user.email.partition('@')[2]}",
        "scope": "event",
        "eventKey": LEAD,
        "label": notification_events.get(LEAD).label,
        "subscribed": True,
    }
    assert api.post(path).json()["data"]["subscribed"] is False
    assert not wants_lead_mail(bob)
    assert api.post(path, {"all": True}).json()["data"]["subscribed"] is False
    with bind(tenant.ref):
        assert Suppression.objects.get().reason == "unsubscribed"
    assert api.get(path + "x").status_code == 404
    assert api.post(path + "x").json()["error"]["code"] == "not_found"


def test_an_erased_persons_link_leads_nowhere(link: str, bob: Api, tenant: Any) -> None:
    with bind(tenant.ref):
        User.objects.filter(pk=bob.user.pk).update(status=User.Status.ERASED)
        Delivery.objects.update(unsubscribed_at=timezone.now())
    assert Client().post(link, ONE_CLICK, content_type=FORM).status_code == 404
