"""The sections of the e-mail settings: defaults, merging, what is refused, and who may."""

from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.email_settings.read import email_settings, sender_settings
from notifications.models import EmailSection, Suppression
from notifications.tests.support import raise_lead
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from platform_site.outbox import dispatcher
from tests.support import Api

PATH = "/settings/email"


def put(person: Api, section: str, body: Any, status: int = 200) -> Any:
    answer = person.call("PUT", f"{PATH}/{section}", body)
    assert answer.status_code == status, answer.content
    return answer.json()["data"] if status == 200 else answer.json()["error"]


def refused(person: Api, section: str, body: Any) -> list[tuple[str, str]]:
    error = put(person, section, body, 400)
    return [(detail["field"], detail["code"]) for detail in error["details"]]


def shown(person: Api, section: str) -> Any:
    answer = person.get(f"{PATH}/{section}")
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def test_everything_has_a_default_and_tracks_nobody(bob: Api) -> None:
    assert shown(bob, "sender") == {"fromName": None, "replyTo": None}
    tracking = shown(bob, "tracking")
    assert [tracking[name] for name in ("openTracking", "clickTracking", "trackSecurityEmails")] == [False] * 3
    assert tracking["requireConsent"]
    assert shown(bob, "compliance")["unsubscribe"] == {"oneClick": True, "listUnsubscribe": True}
    assert shown(bob, "footer")["enabled"] is False
    assert (shown(bob, "deliverability")["status"], shown(bob, "deliverability")["domain"]) == ("not_set", None)


def test_what_is_not_named_stays_and_null_goes_back(alice: Api) -> None:
    put(alice, "sender", {"fromName": "Acme Support", "replyTo": "Help@Acme.test"})
    assert put(alice, "sender", {"fromName": "Acme"}) == {"fromName": "Acme", "replyTo": "Help@acme.test"}
    assert put(alice, "sender", {"replyTo": None}) == {"fromName": "Acme", "replyTo": None}
    put(alice, "compliance", {"canSpam": {"companyName": "Acme Inc"}, "gdpr": {"retentionDays": 30}})
    changed = put(alice, "compliance", {"canSpam": {"enabled": True, "physicalAddress": "1 Main Street\nSpringfield"}})
    assert changed["canSpam"] == {
        "enabled": True,
        "companyName": "Acme Inc",
        "physicalAddress": "1 Main Street\nSpringfield",
    }
    assert changed["gdpr"]["retentionDays"] == 30
    assert put(alice, "compliance", {"gdpr": None})["gdpr"]["retentionDays"] == 90
    with bind(alice.tenant.ref):
        # Only what was chosen is kept, so that defaults may change.
        assert EmailSection.objects.get(key="sender").value == {"from_name": "Acme"}
        assert "gdpr" not in EmailSection.objects.get(key="compliance").value


@pytest.mark.parametrize("section", ["sender", "tracking", "compliance", "footer"])
def test_what_was_read_can_be_written(alice: Api, section: str) -> None:
    everything = shown(alice, section)
    assert put(alice, section, everything) == everything


@pytest.mark.parametrize(
    ("section", "body", "field"),
    [
        ("sender", {"fromName": "Eve <eve@evil.test>"}, "fromName"),
        ("sender", {"fromName": "Eve\r\nBcc: all@acme.test"}, "fromName"),
        ("sender", {"fromName": 'a"b'}, "fromName"),
        ("sender", {"fromName": "moc.elpmaxe\u202eEve"}, "fromName"),
        ("sender", {"fromName": "x" * 65}, "fromName"),
        ("sender", {"replyTo": "nobody"}, "replyTo"),
        ("sender", {"replyTo": "a@b.test, c@d.test"}, "replyTo"),
        ("sender", {"fromEmail": "ceo@bank.test"}, "fromEmail"),
        ("tracking", {"trackSecurityEmails": True}, "trackSecurityEmails"),
        ("tracking", {"openTracking": "yes"}, "openTracking"),
        ("compliance", {"canSpam": {"enabled": True}}, "canSpam.physicalAddress"),
        ("compliance", {"unsubscribe": {"oneClick": False}}, "unsubscribe.oneClick"),
        ("compliance", {"gdpr": {"privacyPolicyUrl": "javascript:alert(1)"}}, "gdpr.privacyPolicyUrl"),
        ("footer", {"html": "{{ user.password }}"}, "html"),
        ("footer", {"html": "{{ company | append: 'x' }}"}, "html"),
        ("footer", {"html": "{% for a in (1..9999) %}{% endfor %}"}, "html"),
        ("footer", {"text": "{{ company"}, "text"),
        ("footer", {"html": "ü" * 6000}, "html"),
        ("footer", {"includeSocial": ["http://plain.test"]}, "includeSocial.0"),
        ("deliverability", {"domain": "127.0.0.1"}, "domain"),
        ("deliverability", {"domain": "localhost"}, "domain"),
        ("deliverability", {"dkimSelectors": ["a.b"]}, "dkimSelectors.0"),
    ],
)
def test_what_cannot_be_is_refused(alice: Api, section: str, body: Any, field: str) -> None:
    assert [name for name, _ in refused(alice, section, body)] == [field]


def test_a_footer_keeps_only_plain_html(alice: Api) -> None:
    html = (
        '<p style="background:url(http://x)" onclick="x()">{{ company }}</p><script>alert(1)</script>'
        "<form><input></form>"
        '<a href="javascript:x">a</a><a href="{{ unsubscribe_url }}">out</a><img src="http://x/y.png">'
        '<a href="/admin/">in</a><a href="http://plain.test">plain</a>'
        '<img src="https://x/y.png" onerror="x()"><iframe src="https://x"></iframe><a href="https://ok.test">ok</a>'
    )
    kept = put(alice, "footer", {"enabled": True, "html": html})["html"]
    for bad in ("script", "style", "onclick", "form", "javascript", "http://", "onerror", "iframe", "alert", "/admin"):
        assert bad not in kept, kept
    assert "<p>{{ company }}</p>" in kept
    assert 'href="{{ unsubscribe_url }}"' in kept
    assert '<img src="https://x/y.png">' in kept
    assert 'href="https://ok.test"' in kept


def test_a_change_is_in_the_journal_without_its_values(alice: Api) -> None:
    put(alice, "sender", {"replyTo": "private@acme.test"})
    with bind(alice.tenant.ref):
        entry = JournalEntry.objects.get(key="notifications.email_settings_changed")
    assert entry.data == {"section": "sender", "changed": ["replyTo"]}


def test_other_tenants_see_nothing_of_it(alice: Api, mallory: Api) -> None:
    put(alice, "sender", {"fromName": "Acme Support"})
    assert shown(mallory, "sender")["fromName"] is None


def test_mail_comes_in_the_chosen_name_and_answers_go_there(alice: Api, bob: Api) -> None:
    put(alice, "sender", {"fromName": "Müller, Söhne", "replyTo": "help@acme.test"})
    raise_lead(alice, bob)
    dispatcher.drain()
    (sent,) = [one for one in mail.outbox if one.to == [bob.user.email] and "lead" in one.subject]
    message = sent.message()
    assert message["Reply-To"] == "help@acme.test"
    assert message["From"].endswith("<no-reply@platform.test>")
    from email.utils import getaddresses

    (only,) = getaddresses([message["From"]])
    assert only[1] == "no-reply@platform.test"


def test_without_a_name_it_is_the_companys_and_cannot_add_headers(alice: Api, bob: Api) -> None:
    from tenancy.models import Tenant

    Tenant.objects.filter(id=alice.tenant.id).update(name='Acme "Inc" <ceo@bank.test>\r\nBcc: all@acme.test')
    raise_lead(alice, bob)
    dispatcher.drain()
    (sent,) = [one for one in mail.outbox if one.to == [bob.user.email] and "lead" in one.subject]
    assert sent.message()["From"].count("@") == 1
    assert sent.message()["Bcc"] is None


def test_all_sections_are_one_query(in_tenant: Any) -> None:
    # Before the first query in a binding the schema is set.
    EmailSection.objects.exists()
    with CaptureQueriesContext(connection) as queries:
        assert email_settings().tracking.require_consent
    assert len(queries) == 1
    with CaptureQueriesContext(connection) as queries:
        sender_settings()
    assert len(queries) == 1


def test_the_status_is_for_everybody_and_takes_as_many_queries_whatever_there_is(alice: Api, bob: Api) -> None:
    from notifications.email_settings.status import email_status

    status = shown(bob, "status")
    assert (status["ready"], status["mode"], status["blocking"]) == (True, "platform", [])
    assert status["last24h"] == {
        "sent": 0,
        "bounced": 0,
        "complained": 0,
        "bounceRate": None,
        "complaintRate": None,
    }
    raise_lead(alice, bob)
    dispatcher.drain()
    put(alice, "tracking", {"openTracking": True})
    status = shown(bob, "status")
    assert (status["last24h"]["sent"], status["last24h"]["bounceRate"]) == (1, 0.0)
    assert status["sections"]["tracking"]["openTracking"] is True
    with bind(alice.tenant.ref):
        EmailSection.objects.exists()
        with CaptureQueriesContext(connection) as queries:
            email_status()
    assert len(queries) == 5


def test_suppressed_addresses_are_listed_and_let_go(alice: Api, bob: Api, mallory: Api) -> None:
    from notifications.services.suppressing import ALL, Reason, suppress

    with bind(alice.tenant.ref):
        suppress("gone@acme.test", Reason.HARD_BOUNCE, ALL, "refused by the mail server")
    listed = alice.get(f"{PATH}/suppressions").json()
    (item,) = listed["data"]
    assert (item["email"], item["reason"], item["scope"], item["expiresAt"]) == (
        "gone@acme.test",
        "hard_bounce",
        "all",
        None,
    )
    assert bob.get(f"{PATH}/suppressions").status_code == 403
    assert mallory.call("DELETE", f"{PATH}/suppressions/{item['id']}").status_code == 404
    assert shown(bob, "status")["suppressed"] == {"count": 1}
    assert alice.call("DELETE", f"{PATH}/suppressions/{item['id']}").json()["data"] == {
        "id": item["id"],
        "lifted": True,
    }
    assert alice.call("DELETE", f"{PATH}/suppressions/{item['id']}").status_code == 404
    with bind(alice.tenant.ref):
        assert not Suppression.objects.exists()
        assert JournalEntry.objects.filter(key="notifications.suppression_lifted").count() == 1
