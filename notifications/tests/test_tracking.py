"""Opening and following links: only where it is wanted and agreed to, machines apart, each counted once."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from notifications.counting import DIGEST
from notifications.mailing.letters import Letter
from notifications.mailing.links import with_links, with_pixel
from notifications.mailing.tokens import Purpose, make_mail_token
from notifications.mailing.way_back import tracked
from notifications.models import CountChange, Delivery, Digest, TrackingConsent
from notifications.services import consent
from notifications.tests.support import deliveries, raise_lead
from platform_site.binding import bind
from platform_site.outbox import dispatcher
from tests.support import Api

READER = "Mozilla/5.0 (X11; Linux x86_64) Thunderbird/140.0"
TARGET = "https://app.example.com/leads/42?a=1&b=%20#x"


@dataclass(frozen=True)
class Chosen:
    open_tracking: bool = True
    click_tracking: bool = True
    require_consent: bool = True


@pytest.fixture
def choose(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def chosen(**values: bool) -> None:
        monkeypatch.setattr(consent, "tracking_settings", lambda: Chosen(**values))

    chosen()
    return chosen


def agree(person: Api, *, yes: bool = True) -> None:
    answer = person.call("PUT", "/notifications/preferences/tracking-consent", {"consent": yes})
    assert answer.status_code == 200, answer.content


def sent_html(person: Api) -> str:
    sent: Any = [one for one in mail.outbox if one.to == [person.user.email]][-1]
    return str(sent.alternatives[0][0])


@pytest.fixture
def delivery(choose: Any, alice: Api, bob: Api) -> Delivery:
    """A mail that was sent a while ago to somebody who agreed."""
    agree(bob)
    raise_lead(alice, bob)
    dispatcher.drain()
    with bind(bob.tenant.ref):
        Delivery.objects.update(sent_at=timezone.now() - timedelta(minutes=5))
    return deliveries(bob)[0]


def paths(person: Api) -> tuple[str, str]:
    html = sent_html(person)
    pixel, click = re.search(r"/t/o/[\w-]+\.gif", html), re.search(r"/t/c/[\w-]+", html)
    assert pixel is not None
    assert click is not None
    return pixel[0], click[0]


def counted(tenant: Any, channel: str = "email") -> dict[str, int]:
    names = ("opened", "machine_opened", "clicked")
    with bind(tenant.ref):
        rows = CountChange.objects.filter(channel=channel).values(*names)
        return {name: total for name in names if (total := sum(row[name] for row in rows))}


def test_a_mail_reports_only_where_the_company_wants_and_the_reader_agreed(
    choose: Callable[..., None], alice: Api, bob: Api
) -> None:
    def reports() -> tuple[bool, bool]:
        raise_lead(alice, bob)
        dispatcher.drain()
        html = sent_html(bob)
        return "/t/o/" in html, "/t/c/" in html

    assert reports() == (False, False)
    choose(require_consent=False)
    assert reports() == (True, True)
    choose()
    agree(bob)
    assert reports() == (True, True)
    choose(click_tracking=False)
    assert reports() == (True, False)
    choose(open_tracking=False)
    assert reports() == (False, True)
    choose(open_tracking=False, click_tracking=False, require_consent=False)
    assert reports() == (False, False)


def test_the_reader_is_counted_once_and_led_to_where_the_link_went(
    delivery: Delivery, bob: Api, tenant: Any, settings: Any
) -> None:
    pixel, click = paths(bob)
    browser = Client(headers={"user-agent": READER})
    for _ in range(2):
        answer = browser.get(pixel)
        assert (answer.status_code, answer["Content-Type"], answer["Cache-Control"]) == (200, "image/gif", "no-store")
    assert counted(tenant) == {"opened": 1}
    for _ in range(2):
        answer = browser.get(click)
        assert (answer.status_code, answer["Cache-Control"]) == (302, "no-store")
        assert answer["Location"].endswith("/sales/leads/42")
    assert counted(tenant) == {"opened": 1, "clicked": 1}
    (after,) = deliveries(bob)
    assert None not in (after.opened_at, after.clicked_at)
    assert after.machine_opened_at is None


def test_who_follows_a_link_has_opened_the_mail(delivery: Delivery, bob: Api, tenant: Any) -> None:
    Client(headers={"user-agent": READER}).get(paths(bob)[1])
    assert counted(tenant) == {"opened": 1, "clicked": 1}


@pytest.mark.parametrize(
    ("method", "headers", "address"),
    [
        ("GET", {"user-agent": "Mozilla/5.0"}, "192.0.2.1"),
        ("GET", {"user-agent": READER}, "17.58.1.2"),
        ("HEAD", {"user-agent": READER}, "192.0.2.1"),
        ("GET", {"user-agent": READER, "sec-purpose": "prefetch;prerender"}, "192.0.2.1"),
    ],
    ids=["Apple's name", "Apple's net", "HEAD", "prefetch"],
)
def test_machines_are_counted_apart(
    delivery: Delivery, bob: Api, tenant: Any, method: str, headers: dict[str, str], address: str
) -> None:
    browser = Client(headers=headers, REMOTE_ADDR=address)
    for path in paths(bob):
        browser.generic(method, path)
    assert counted(tenant) == {"machine_opened": 1}
    assert deliveries(bob)[0].opened_at is None


def test_what_opens_within_seconds_is_a_machine(delivery: Delivery, bob: Api, tenant: Any) -> None:
    with bind(tenant.ref):
        Delivery.objects.update(sent_at=timezone.now() - timedelta(seconds=2))
    Client(headers={"user-agent": READER}).get(paths(bob)[0])
    assert counted(tenant) == {"machine_opened": 1}


@pytest.mark.parametrize("how", ["no consent", "no settings", "suspended", "deleted"])
def test_picture_and_link_work_whatever_is_counted(
    delivery: Delivery, choose: Callable[..., None], bob: Api, tenant: Any, how: str
) -> None:
    pixel, click = paths(bob)
    if how == "no consent":
        agree(bob, yes=False)
    elif how == "no settings":
        choose(open_tracking=False, click_tracking=False)
    else:
        type(tenant).objects.filter(pk=tenant.pk).update(status=how)
    browser = Client(headers={"user-agent": READER})
    assert browser.get(pixel).status_code == 200
    assert browser.get(click).status_code == 302
    assert counted(tenant) == ({"opened": 1, "clicked": 1} if how == "suspended" else {})


def test_nothing_leads_to_an_address_that_was_not_signed(delivery: Delivery, bob: Api, tenant: Any) -> None:
    _, click = paths(bob)
    token = click.rpartition("/")[2]
    with bind(tenant.ref):
        other = make_mail_token(Purpose.OPEN, delivery.id, "dhttps://evil.test")
    for wrong in (other, token[:-1] + ("A" if token[-1] != "A" else "B"), token + "A", "x"):
        answer = Client().get(f"/t/c/{wrong}")
        assert answer.status_code == 404
        assert "Location" not in answer
    # A picture is shown for anything, and counts nothing.
    assert Client(headers={"user-agent": READER}).get(f"/t/o/{token}.gif").status_code == 200
    assert counted(tenant) == {}
    assert Client().post(click).status_code == 405


def test_a_token_of_one_tenant_counts_nothing_in_another(delivery: Delivery, tenant: Any, other_tenant: Any) -> None:
    with bind(other_tenant.ref):
        token = make_mail_token(Purpose.OPEN, delivery.id, "d")
    Client(headers={"user-agent": READER}).get(f"/t/o/{token}.gif")
    assert (counted(tenant), counted(other_tenant)) == ({}, {})


def test_a_digest_is_counted_as_a_digest(choose: Any, bob: Api, tenant: Any) -> None:
    agree(bob)
    long_ago = timezone.now() - timedelta(hours=1)
    with bind(tenant.ref):
        digest = Digest.objects.create(user=bob.user, kind="held", status="sent", due_at=long_ago, sent_at=long_ago)
        token = make_mail_token(Purpose.CLICK, digest.id, f"g{TARGET}")
    browser = Client(headers={"user-agent": READER})
    for _ in range(2):
        assert browser.get(f"/t/c/{token}")["Location"] == TARGET
    with bind(tenant.ref):
        digest.refresh_from_db()
        assert None not in (digest.opened_at, digest.clicked_at)
    assert counted(tenant, DIGEST) == {"opened": 1, "clicked": 1}


def test_only_links_change_and_those_of_security_and_unsubscribing_do_not(
    choose: Callable[..., None], bob: Api, tenant: Any, settings: Any
) -> None:
    choose(require_consent=False)
    leave = f"{settings.PUBLIC_URL}/unsubscribe/abc"
    html = (
        "<!doctype html><html><body bgcolor=white>\n"
        f'<p title="href=https://a.test">&nbsp;<A HREF=\'{TARGET.replace("&", "&amp;")}\' class="b">go</A><br/>\n'
        f'<a href="{leave}">leave</a> <a href="mailto:a@b.test">m</a><!-- <a href="https://c.test"> --></body></html>'
    )
    with bind(tenant.ref):
        letter = Letter("s", html, "text")
        secure = tracked(letter, user=bob.user, kind="d", subject_id=bob.user.uuid, security=True)
        assert secure == letter
        made = tracked(letter, user=bob.user, kind="d", subject_id=bob.user.uuid, security=False).html
    (click,) = re.findall(r'<a href="[^"]*/t/c/([\w-]+)" class="b">', made)
    assert Client().get(f"/t/c/{click}")["Location"] == TARGET
    (pixel,) = re.findall(r'<img src="[^"]*/t/o/[\w-]+\.gif"[^>]*>', made)
    before, after = html.index("<A HREF"), html.index(">go")
    rewritten = re.search(r'<a href="[^"]*/t/c/[^>]*', made)
    assert rewritten is not None
    assert made.replace(pixel, "").replace(rewritten[0], html[before:after]) == html
    assert made.index(pixel) == made.index("</body>") - len(pixel)


def test_a_page_without_a_body_takes_a_pixel_and_broken_markup_stays(settings: Any) -> None:
    assert with_pixel("<p>x", "https://a.test/o.gif").startswith("<p>x<img ")
    broken = '<p <a href="https://a.test'
    assert with_links(broken, lambda url: "https://b.test") == broken


def test_consent_is_given_asked_and_taken_back(bob: Api, alice: Api) -> None:
    path = "/notifications/preferences/tracking-consent"
    assert bob.get(path).json()["data"] == {"consent": False, "givenAt": None}
    agree(bob)
    given = bob.get(path).json()["data"]
    assert given["consent"] is True
    agree(bob)
    assert bob.get(path).json()["data"] == given
    assert alice.get(path).json()["data"]["consent"] is False
    agree(bob, yes=False)
    assert bob.get(path).json()["data"] == {"consent": False, "givenAt": None}
    assert bob.call("PUT", path, {"consent": "yes"}).status_code == 400
    with bind(bob.tenant.ref):
        assert not TrackingConsent.objects.exists()
