"""A company's own texts: writing them, looking at them first, going back."""

from typing import Any

import pytest
from django.conf import settings

from notifications.models import TemplateOverride
from platform_site.api.body_limits import body_limit
from platform_site.binding import bind
from tests.support import Api

LEAD_MAIL = "/notifications/templates/sales.lead_assigned:email"


def customize(person: Api, **texts: Any) -> Any:
    return person.call("PUT", f"{LEAD_MAIL}/customize", texts)


def test_all_are_listed_by_module_and_one_is_shown_whole(bob: Api) -> None:
    modules = bob.get("/notifications/templates").json()["data"]["modules"]
    ids = {one["id"] for module in modules if module["key"] == "sales" for one in module["templates"]}
    assert ids == {"sales.lead_assigned:email", "sales.lead_assigned:in_app"}
    shown = bob.get(LEAD_MAIL).json()["data"]
    assert (shown["isCustomized"], shown["version"], shown["subject"]) == (False, None, "New lead: {{ leadName }}")
    assert {"leadName", "user", "company", "actionUrl"} <= {one["name"] for one in shown["variables"]}
    assert bob.get("/notifications/templates/sales.nothing:email").status_code == 404


def test_each_change_is_a_version_and_keeps_what_it_does_not_name(alice: Api) -> None:
    first = customize(alice, subject="Hi {{ user.name }}", version=0).json()["data"]
    second = customize(alice, bodyHtml="<p>{{ leadName }}</p>", version=1).json()["data"]
    assert (first["version"], second["version"], second["subject"]) == (1, 2, "Hi {{ user.name }}")
    stale = customize(alice, subject="x", version=1)
    assert (stale.status_code, stale.json()["error"]["code"]) == (409, "template_version_conflict")
    with bind(alice.tenant.ref):
        assert list(TemplateOverride.objects.order_by("version").values_list("active", flat=True)) == [False, True]
    for was in (True, False):
        back = alice.call("DELETE", f"{LEAD_MAIL}/override").json()["data"]
        assert (back["wasCustomized"], back["isCustomized"]) == (was, False)
    assert customize(alice, subject="Again").json()["data"]["version"] == 3


@pytest.mark.parametrize(
    ("texts", "code", "words"),
    [
        ({"subject": "{{ leadNam }}"}, "unknown_variable", "Did you mean leadName?"),
        ({"bodyHtml": "a\n {% include 'x' %}"}, "template_syntax", "line 2, column 5"),
        ({"bodyText": "{{ leadName | nope }}"}, "unknown_filter", "line 1, column 15"),
        ({"subject": "{% if leadId == 1 %}x{% endif %}"}, "template_render", "empty"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_stored(alice: Api, texts: dict[str, str], code: str, words: str) -> None:
    answer = customize(alice, **texts)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (422, "template_invalid")
    assert error["details"][0]["code"] == code
    assert words in error["details"][0]["message"]
    assert alice.get(LEAD_MAIL).json()["data"]["isCustomized"] is False


@pytest.mark.parametrize("body", [{}, {"version": 0}, {"subject": "a\nb"}, {"subject": "x" * 201}])
def test_a_body_that_is_none_is_refused(alice: Api, body: dict[str, Any]) -> None:
    assert customize(alice, **body).status_code == 400


class TestPreview:
    def test_a_draft_is_shown_and_not_stored(self, alice: Api) -> None:
        draft = {"subject": "{{ leadName }}!", "bodyHtml": "<p>{{ leadName }}</p><script>x</script>{{ nobody }}"}
        shown = alice.post(f"{LEAD_MAIL}/preview", {**draft, "data": {"leadName": "<b>A</b>"}}).json()["data"]
        assert shown["subject"] == "<b>A</b>!"
        assert "&lt;b&gt;A&lt;/b&gt;" in shown["html"]
        assert "<script" not in shown["html"]
        assert shown["missingVariables"] == ["nobody"]
        assert alice.get(LEAD_MAIL).json()["data"]["isCustomized"] is False

    def test_who_may_not_write_sees_what_is_stored_only(self, alice: Api, bob: Api) -> None:
        customize(alice, subject="Ours")
        for method in ("GET", "POST"):
            shown = bob.call(method, f"{LEAD_MAIL}/preview", None if method == "GET" else {}).json()["data"]
            assert (shown["subject"], shown["usedVersion"]) == ("Ours", "1")
        assert bob.post(f"{LEAD_MAIL}/preview", {"subject": "x"}).status_code == 403
        assert customize(bob, subject="x").status_code == 403


def test_the_longest_text_fits_however_it_is_written(alice: Api) -> None:
    """Every character as two escapes, as JSON may write it: that is more than bodies have elsewhere."""
    path = f"{LEAD_MAIL}/customize"

    def answer(count: int) -> Any:
        body = b'{"bodyText": "' + b"\\udaed\\udf26" * count + b'"}'
        return alice.call("PUT", path, body)

    assert body_limit(f"/api/v1{path}", "application/json") == 2 * 1024 * 1024
    assert body_limit("/api/v1/notifications/templates/a/b/customize", "application/json") == settings.MAX_BODY_BYTES
    assert answer(50 * 1024).status_code == 200
    assert answer(50 * 1024 + 1).status_code == 400
    # Above the usual limit and still judged by what it says.
    html = b'{"bodyHtml": "' + b"\\udaed\\udf26" * (100 * 1024 + 1) + b'"}'
    assert alice.call("PUT", path, html).status_code == 400
