"""A company's own texts on their way out: broken ones stop nothing, and nobody else's change."""

from typing import Any

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications import catalog
from notifications.mailing import overrides
from notifications.models import TemplateOverride
from notifications.tests.support import LEAD, VALUES, deliveries, raise_lead, told
from notifications.tests.test_letters import tags
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from platform_site.notification_events import notification_events
from platform_site.outbox import dispatcher
from tests.support import Api

MAIL, IN_APP = f"/notifications/templates/{LEAD}:email", f"/notifications/templates/{LEAD}:in_app"
SAMPLE = f"New lead: {notification_events.get(LEAD).sample['leadName']}"
BROKEN = [
    {"subject": "{{ leadName | nothing }}"},
    {"subject": "{{ nobody }}"},
    {"body_html": "{% if leadName %}", "body_text": "{% if leadName %}"},
    {"body_html": "{% include 'x' %}", "body_text": "{{ leadName | round: 'x' | date: leadName, 1 }}"},
]


def write(person: Api, channel: str, **texts: str) -> None:
    """A row that no check has seen."""
    with bind(person.tenant.ref):
        TemplateOverride.objects.create(event_key=LEAD, channel=channel, version=7, base_version="old", **texts)


def customize(person: Api, path: str = MAIL, **texts: Any) -> Any:
    return person.call("PUT", f"{path}/customize", texts)


def mails(person: Api) -> list[Any]:
    dispatcher.drain()
    return [one for one in mail.outbox if one.to == [person.user.email]]


def fallen(person: Api) -> list[str]:
    with bind(person.tenant.ref):
        rows = JournalEntry.objects.filter(key=catalog.TEMPLATE_FELL_BACK.key)
        return sorted(row.data["templateId"] for row in rows)


@pytest.mark.parametrize("texts", BROKEN, ids=["filter", "empty", "syntax", "tag"])
def test_a_broken_text_stops_neither_mail_nor_inbox(alice: Api, bob: Api, texts: dict[str, str]) -> None:
    write(alice, "email", **texts)
    write(alice, "in_app", **texts)
    assert raise_lead(alice, bob).status_code == 202
    (sent,) = mails(bob)
    assert sent.subject == "New lead: Acme Corp"
    assert "Jane Doe assigned Acme Corp to you." in sent.body
    (delivery,) = deliveries(bob)
    assert (delivery.status, delivery.template_version, delivery.template_fallback) == ("sent", None, True)
    (shown,) = told(bob)
    assert (shown["title"], shown["body"]) == ("New lead: Acme Corp", "Jane Doe assigned Acme Corp to you.")


def test_administrators_hear_of_it_once_a_day(alice: Api, bob: Api, mallory: Api) -> None:
    write(alice, "email", subject="{{ leadName | nothing }}")
    for _ in range(3):
        raise_lead(alice, bob)
        mails(bob)
    dispatcher.drain()
    assert fallen(alice) == [f"{LEAD}:email"]
    heard = [one for one in told(alice) if one["eventKey"] == "email.template_fallback"]
    assert [one["title"] for one in heard] == [f"Your own text {LEAD}:email does not work"]
    assert not [one for one in told(bob) if one["eventKey"] == "email.template_fallback"]
    assert told(mallory) == []


def test_the_text_that_tells_of_it_may_be_broken_as_well(alice: Api, bob: Api) -> None:
    write(alice, "email", subject="{{ leadName | nothing }}")
    with bind(alice.tenant.ref):
        for channel in ("in_app", "email"):
            TemplateOverride.objects.create(
                event_key="email.template_fallback", channel=channel, version=1, base_version="", subject="{% x %}"
            )
    raise_lead(alice, bob)
    for _ in range(4):
        dispatcher.drain()
    assert fallen(alice) == ["email.template_fallback:email", "email.template_fallback:in_app", f"{LEAD}:email"]
    assert len([one for one in told(alice) if one["eventKey"] == "email.template_fallback"]) == 3


def test_own_texts_are_used_in_mail_and_inbox_and_by_nobody_else(alice: Api, bob: Api, mallory: Api) -> None:
    html = '<h2>{{ leadName }}</h2><p>For {{ user.name }} at {{ company.name }}</p><a href="{{ actionUrl }}">Look</a>'
    assert customize(alice, subject="Own: {{ leadName }}", bodyHtml=html).json()["data"]["version"] == 1
    assert customize(alice, IN_APP, subject="Own {{ leadName }}", bodyText="by {{ assignedBy }}").status_code == 200
    raise_lead(alice, bob)
    raise_lead(mallory, mallory)
    (ours,), (theirs,) = mails(bob), mails(mallory)
    assert (ours.subject, theirs.subject) == ("Own: Acme Corp", "New lead: Acme Corp")
    assert "/sales/leads/42" in ours.alternatives[0][0]
    # The text is made of the HTML, which is the only one that was written.
    assert f"For {bob.user.display_name} at " in ours.body
    assert [one.template_version for one in (*deliveries(bob), *deliveries(mallory))] == [1, None]
    assert [(one["title"], one["body"]) for one in told(bob)] == [("Own Acme Corp", "by Jane Doe")]
    assert [one["title"] for one in told(mallory)] == ["New lead: Acme Corp"]
    assert mallory.get(MAIL).json()["data"]["isCustomized"] is False
    assert mallory.call("DELETE", f"{MAIL}/override").json()["data"]["wasCustomized"] is False
    assert alice.get(MAIL).json()["data"]["version"] == 1


def test_values_write_no_header_and_no_markup(alice: Api, bob: Api) -> None:
    customize(alice, subject="{{ leadName }}", bodyHtml="<p>{{ leadName }}</p>")
    bad = "<script>x</script>\r\nBcc: evil@example.test"
    raise_lead(alice, bob, data={**VALUES, "leadName": bad})
    (sent,) = mails(bob)
    assert sent.subject == "<script>x</script> Bcc: evil@example.test"
    assert sent.message()["Bcc"] is None
    assert sent.recipients() == [bob.user.email]
    assert "script" not in tags(sent.alternatives[0][0])


def test_it_costs_one_query_however_many_are_told(alice: Api, bob: Api) -> None:
    customize(alice, IN_APP, subject="Own {{ leadName }}")
    for people in ((bob,), (alice, bob)):
        with CaptureQueriesContext(connection) as queries:
            raise_lead(alice, *people)
        assert sum("notifications_templateoverride" in one["sql"] for one in queries) == 1


def test_a_text_in_the_app_has_no_html_and_a_security_text_leads_nowhere_else(alice: Api) -> None:
    assert customize(alice, IN_APP, bodyHtml="<p>x</p>").status_code in (400, 422)
    path = "/notifications/templates/auth.password_changed:in_app"
    for text in ("Go to https://evil.example/login", "Go to //evil.example"):
        answer = customize(alice, path, bodyText=text)
        assert (answer.status_code, answer.json()["error"]["details"][0]["code"]) == (422, "foreign_link")
    assert customize(alice, path, bodyText="Somebody changed it.").status_code == 200


def test_problems_come_with_place_name_and_suggestion(alice: Api) -> None:
    answer = customize(alice, bodyHtml="<p>\n{{ user.nmae }}</p>{{ user[leadName] }}", subject="{% if %}")
    assert answer.status_code == 422
    subject, name = answer.json()["error"]["details"]
    assert (subject["field"], subject["code"], subject["line"]) == ("subject", "template_syntax", 1)
    assert {key: name[key] for key in ("field", "code", "line", "column", "name", "suggestion")} == {
        "field": "bodyHtml",
        "code": "unknown_variable",
        "line": 2,
        "column": 4,
        "name": "user.nmae",
        "suggestion": "user.name",
    }


def test_going_back_a_field_and_a_changed_default(alice: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    customize(alice, subject="Own", bodyText="Own text")
    back = customize(alice, subject=None).json()["data"]
    assert (back["subject"], back["bodyText"], back["baseOutdated"]) == ("New lead: {{ leadName }}", "Own text", False)
    with bind(alice.tenant.ref):
        TemplateOverride.objects.filter(active=True).update(base_version="old")
        keys = set(JournalEntry.objects.values_list("key", flat=True))
    assert alice.get(MAIL).json()["data"]["baseOutdated"] is True
    assert {"notifications.template_customized"} <= keys
    alice.call("DELETE", f"{MAIL}/override")
    assert alice.get(MAIL).json()["data"]["bodyText"] == alice.get(MAIL).json()["data"]["default"]["bodyText"]


class TestPreview:
    def test_it_says_what_it_used(self, alice: Api) -> None:
        def used(body: dict[str, Any] | None = None) -> str:
            answer = alice.get(f"{MAIL}/preview") if body is None else alice.post(f"{MAIL}/preview", body)
            assert answer.status_code == 200, answer.content
            return str(answer.json()["data"]["usedVersion"])

        assert used() == "default"
        customize(alice, subject="Own")
        assert (used(), used({}), used({"subject": "x"})) == ("1", "1", "draft")

    def test_a_stored_text_that_is_broken_is_shown_as_it_would_be_sent(self, alice: Api) -> None:
        write(alice, "email", subject="{{ leadName | nothing }}")
        shown = alice.get(f"{MAIL}/preview").json()["data"]
        assert (shown["subject"], shown["usedVersion"]) == (SAMPLE, "default")
        assert any("default is used" in one for one in shown["warnings"])
        assert fallen(alice) == []
        assert mail.outbox == []

    def test_a_draft_that_is_broken_is_refused(self, alice: Api) -> None:
        answer = alice.post(f"{MAIL}/preview", {"bodyHtml": "{% for %}"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (422, "template_invalid")

    def test_in_the_app_there_is_no_html(self, bob: Api) -> None:
        shown = bob.get(f"{IN_APP}/preview").json()["data"]
        assert (shown["subject"], shown["html"]) == (SAMPLE, "")


def test_the_same_template_by_its_uuid(bob: Api) -> None:
    name = overrides.template_uuid(f"{LEAD}:email")
    assert bob.get(f"/notifications/templates/{name}").json()["data"]["id"] == f"{LEAD}:email"
