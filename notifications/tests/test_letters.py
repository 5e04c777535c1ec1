"""What mails say: text and HTML, the company's look and footer, and what nobody can leave out."""

from collections.abc import Sequence
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from notifications.mailing.letters import Letter, WayOut, letter_of, letter_of_many
from notifications.models import EmailSection, Notification, TemplateOverride
from notifications.tests.support import LEAD, VALUES, raise_lead
from platform_site.binding import bind
from platform_site.outbox import dispatcher
from tenancy.models import Tenant
from tests.support import Api

OUT = WayOut("https://app.test/unsubscribe/abc", "https://app.test/preferences/abc")
LOCKED = WayOut()
ADDRESS = {"can_spam": {"enabled": True, "company_name": "Acme <Ltd>", "physical_address": "1 Main St\nSpringfield"}}


def lead(person: Api, at: datetime | None = None, **values: Any) -> Notification:
    """A lead that somebody is told about; it is not stored."""
    data = {**VALUES, **values}
    return Notification(
        id=uuid4(),
        user=person.user,
        event_key=LEAD,
        title=f"New lead: {data['leadName']}",
        body=f"{data['assignedBy']} assigned {data['leadName']} to you.",
        action_url=f"/sales/leads/{data['leadId']}",
        data=data,
        created_at=at or datetime(2026, 3, 10, 23, 30, tzinfo=UTC),
    )


def letter(person: Api, way_out: WayOut = OUT, **values: Any) -> Letter:
    with bind(person.tenant.ref):
        return letter_of(lead(person, **values), way_out)


def digest(person: Api, told: Sequence[Notification], more: int = 0) -> Letter:
    with bind(person.tenant.ref):
        return letter_of_many(person.user, told, OUT, more=more)


def mailed(person: Api) -> Any:
    """The one mail to this person, after all that is due was done."""
    dispatcher.drain()
    (sent,) = [one for one in mail.outbox if one.to == [person.user.email]]
    return sent


def tags(html: str) -> set[str]:
    """The names of all elements."""
    found: set[str] = set()
    reader = HTMLParser()
    reader.handle_starttag = lambda tag, attrs: found.add(tag)  # type: ignore[method-assign]
    reader.feed(html)
    return found


def choose(person: Api, **sections: dict[str, Any]) -> None:
    with bind(person.tenant.ref):
        for key, value in sections.items():
            EmailSection.objects.update_or_create(key=key, defaults={"value": value})


def test_a_mail_is_text_and_html_of_the_company(alice: Api, bob: Api) -> None:
    Tenant.objects.filter(pk=bob.tenant.pk).update(
        name="Acme & Sons", colors={"primary": "#ffd400"}, logo_url="https://acme.test/logo.png"
    )
    raise_lead(alice, bob)
    sent = mailed(bob)
    html, kind = sent.alternatives[0]
    assert (kind, sent.subject) == ("text/html", "New lead: Acme Corp")
    assert 'src="https://acme.test/logo.png"' in html
    assert 'alt="Acme &amp; Sons"' in html
    # Dark on yellow, and in the element itself.
    button = html.rpartition("/sales/leads/42")[2].partition(">")[0] + html.rpartition("/sales/leads/42")[0][-400:]
    assert "background-color: #ffd400" in button
    assert "color: #111827" in button
    for text in (sent.body, html):
        assert "Jane Doe assigned Acme Corp to you." in text
        assert "/sales/leads/42" in text


def test_a_logo_or_a_colour_that_is_none_is_left_out(bob: Api) -> None:
    Tenant.objects.filter(pk=bob.tenant.pk).update(
        colors={"primary": "red;background:url(https://x.test)"}, logo_url="javascript:alert(1)"
    )
    html = letter(bob).html
    assert "x.test" not in html
    assert "javascript:" not in html
    assert "#0f766e" in html


def test_values_cannot_write_html(bob: Api) -> None:
    made = letter(bob, leadName='<img src=x onerror="alert(1)">', assignedBy="</title><script>alert(2)</script>")
    assert not {"img", "script"} & tags(made.html)
    assert "&lt;script&gt;" in made.html
    assert "</title><script>alert(2)</script> assigned" in made.text
    together = digest(bob, [lead(bob, leadName="<script>alert(3)</script>")])
    assert "script" not in tags(together.html)
    assert "<script>alert(3)</script>" in together.text


@pytest.mark.parametrize("name", ["Acme\r\nBcc: eve@evil.test", "Acme\nBcc: eve@evil.test", "Acme\u2028Bcc: e@e.test"])
def test_values_cannot_write_headers(alice: Api, bob: Api, name: str) -> None:
    assert raise_lead(alice, bob, data={**VALUES, "leadName": name}).status_code == 202
    sent = mailed(bob)
    assert sent.message()["Bcc"] is None
    assert sent.recipients() == [bob.user.email]
    assert sent.subject.split() == ["New", "lead:", *name.split()]
    assert len(sent.subject.splitlines()) == 1


class TestFooter:
    def test_the_way_out_is_in_text_and_html(self, bob: Api) -> None:
        made = letter(bob)
        for text in (made.html, made.text):
            assert OUT.unsubscribe_url in text
            assert OUT.preferences_url in text
        assert "Unsubscribe</a>" in made.html

    def test_what_cannot_be_turned_off_has_none(self, bob: Api) -> None:
        made = letter(bob, LOCKED)
        for text in (made.html, made.text):
            assert "nsubscribe" not in text
            assert "because you have an account at Acme Corp" in text

    def test_the_companys_own_comes_before_ours(self, bob: Api) -> None:
        footer = {
            "enabled": True,
            "html": '<p>Yours, {{ company }} <a href="{{ preferences_url }}">here</a></p><p><b>never closed',
            "text": "Yours, {{ company }}",
        }
        Tenant.objects.filter(pk=bob.tenant.pk).update(name="A <b> C")
        choose(bob, footer=footer, compliance=ADDRESS)
        made = letter(bob)
        for text, name in ((made.html, "A &lt;b&gt; C"), (made.text, "A <b> C")):
            assert f"Yours, {name}" in text
            assert text.index("Yours") < text.index("Unsubscribe") < text.index("1 Main St")
        assert "Acme &lt;Ltd&gt;" in made.html
        assert "<b>never closed</b></p>" in made.html.replace("\n", "")
        assert made.html.count(OUT.preferences_url) == 2

    def test_what_it_may_not_have_is_taken_out_again(self, bob: Api) -> None:
        # As if an older version had stored it.
        choose(
            bob,
            footer={
                "enabled": True,
                "html": '<style>a{display:none}</style><p style="display:none">x</p><!-- <script>alert(1)</script>'
                '<form action="https://e.test"></form><img src="http://e.test/p.gif">'
                '<a href="javascript:alert(1)">y</a>',
                "text": "",
            },
        )
        made = letter(bob)
        assert "Unsubscribe</a>" in made.html
        for bad in ("<script", "a{display", "<form", "e.test", "javascript:", 'p style="display:none"'):
            assert bad not in made.html

    def test_one_that_cannot_be_filled_stops_no_mail(self, bob: Api) -> None:
        choose(bob, footer={"enabled": True, "html": "{% if %}{{ company | nothing }}", "text": "{{"})
        assert OUT.unsubscribe_url in letter(bob).html

    def test_its_text_is_made_of_the_html_where_there_is_none(self, bob: Api) -> None:
        choose(bob, footer={"enabled": True, "html": "<p>Acme<br>since <b>1949</b></p>", "text": ""})
        text = letter(bob).text
        assert "since 1949" in text
        assert "<b>" not in text

    def test_where_it_is_off_it_is_not_there(self, bob: Api) -> None:
        choose(bob, footer={"enabled": False, "html": "<p>Yours</p>", "text": "Yours"})
        assert "Yours" not in letter(bob).html + letter(bob).text


class TestDigest:
    def test_it_shows_each_with_its_link_and_when_it_was_where_the_reader_lives(self, bob: Api) -> None:
        bob.user.timezone = "Asia/Tokyo"
        told = [
            lead(bob, leadName="Beta", leadId=2),
            lead(bob, leadName="Alpha", leadId=1, at=datetime(2026, 3, 10, 9, 5, tzinfo=UTC)),
        ]
        made = digest(bob, told, more=2)
        assert made.subject == "4 notifications from Acme Corp"
        for text in (made.html, made.text):
            first, second = text.index("Wednesday, 11 March"), text.index("Tuesday, 10 March")
            assert first < text.index("08:30") < second < text.index("18:05")
            assert text.index("New lead: Beta") < second < text.rindex("New lead: Alpha")
            assert "Jane Doe assigned Beta to you." in text
            assert "/sales/leads/2" in text
            assert "2 more" in text
            assert OUT.unsubscribe_url in text

    def test_who_has_no_zone_reads_the_companys_and_one_is_one(self, bob: Api) -> None:
        Tenant.objects.filter(pk=bob.tenant.pk).update(timezone="America/New_York")
        made = digest(bob, [lead(bob)])
        assert made.subject == "1 notification from Acme Corp"
        assert "19:30" in made.text
        assert "more" not in made.text

    def test_it_costs_as_many_queries_for_many_as_for_one(self, bob: Api) -> None:
        counts = []
        for number in (1, 20):
            with CaptureQueriesContext(connection) as queries:
                digest(bob, [lead(bob, leadId=n) for n in range(number)])
            counts.append(sum("SELECT" in one["sql"] for one in queries))
        assert counts[0] == counts[1] <= 2


class TestOwnTexts:
    def test_they_are_used_and_named(self, bob: Api) -> None:
        self._write(
            bob, subject="Hi {{ user.name }}", body_html='<p class="quiet">{{ leadName }}</p><script>x</script>'
        )
        made = letter(bob, leadName="A & B")
        assert made.subject.startswith("Hi ")
        assert (made.template_version, made.fallback) == (3, False)
        assert "A &amp; B</p>" in made.html
        assert "<script" not in made.html
        assert "A & B" in made.text
        assert OUT.unsubscribe_url in made.html

    def test_one_that_cannot_be_filled_is_replaced_by_the_default(self, bob: Api) -> None:
        self._write(bob, subject="{{ leadName | nothing }}")
        made = letter(bob)
        assert (made.subject, made.template_version, made.fallback) == ("New lead: Acme Corp", None, True)

    def _write(self, person: Api, **texts: str) -> None:
        with bind(person.tenant.ref):
            TemplateOverride.objects.create(event_key=LEAD, channel="email", version=3, base_version="x", **texts)
