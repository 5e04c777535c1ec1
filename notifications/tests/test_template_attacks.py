"""Templates that want to read what they should not, or to cost more than a mail does."""

import time
import tracemalloc
from contextlib import suppress
from typing import Any

import pytest

from notifications.mailing.cleaning import clean
from notifications.mailing.drafting import Own, text_of, words
from notifications.mailing.sources import Source
from notifications.texts import MAX_OUTPUT, TemplateError, plain, render, render_text, template_of

pytestmark = pytest.mark.no_django

LONGEST_SECONDS = 1.0
MOST_MEMORY = 60 * 1024 * 1024
VALUES: dict[str, Any] = {
    "a": "A",
    "long": "h" * 190_000,
    "tags": "<b>" * 60_000,
    "list": list(range(1000)),
    "user": {"name": "Jane"},
}
LOOP, END = "{% for i in list %}", "{% endfor %}"
RANGE = "(1..1000000000)"

COSTLY = {
    "nested loops": LOOP * 4 + "x" + END * 4,
    "loops one after the other": f"{LOOP}{{{{ i }}}}{END}" * 1000,
    "a long text in a loop": LOOP + "{{ z }}" * 1500 + END,
    "a costly question in a loop": LOOP
    + "{% if "
    + " and ".join(["long contains 'hhx'"] * 40)
    + " %}{% endif %}"
    + END,
    "an empty loop over a range": f"{{% for i in {RANGE} %}}{{% endfor %}}",
    "the end of a range": f"{{% for i in {RANGE} limit: 1 offset: 999999990 %}}x{{% endfor %}}",
    "a search in a range": f"{{% if {RANGE} contains 'a' %}}x{{% endif %}}",
    "a range as a value": f"{{{{ {RANGE} }}}}",
    "a range in a filter": f"{{{{ {RANGE} | last }}}}{{{{ a | default: {RANGE} }}}}",
    "a giant number": "{{ " + "9" * 90_000 + " }}",
    "a giant number that is kept": "{{ " + "9" * 900 + " | round }}",
    "giant exponents": "{{ 1e1000000000 }}{{ '1e999999999' | round }}",
    "giant arguments": f"{{{{ a | truncate: {'9' * 30} }}}}{{{{ 1.5 | round: {'9' * 30} }}}}",
    "a wide date": "{{ 'now' | date: '%0999999999d' }}",
    "a long date": "{{ 'now' | date: '" + "%c" * 400 + "' }}",
    "a long text as a date": "{{ long | date: '%Y' }}",
    "a year that is none": "{{ '9999999999999999999999' | date: '%Y' }}",
    "a chain of filters": "{{ long" + " | upcase | downcase" * 45 + " }}",
    "escaped again and again": "{{ '&'" + " | escape" * 100 + " }}",
    "encoded again and again": "{{ long" + " | url_encode" * 70 + " }}",
    "put behind itself": "{{ long" + " | truncatewords: 1, long" * 35 + " }}",
    "tags that are stripped": "{{ tags | strip_html }}" * 900,
    "many equal cases": ("{% case 1 %}{% when " + ",".join("1" * 20) + " %}") * 15 + "x" + "{% endcase %}" * 15,
    "a long case": "{% case 1 %}{% when " + ",".join(["1"] * 40_000) + " %}x{% endcase %}",
    "deeply nested": "{% if a %}" * 900 + "{% endif %}" * 900,
    "a deep path": "{{ " + "a[" * 300 + "a" + "]" * 300 + " }}",
    "a long question": "{% if " + " and ".join(["1 == 1"] * 9000) + " %}x{% endif %}",
    "braces": "{" * 100_000,
    "pairs of braces": "{{}}" * 25_000,
    "tags that never end": "{%" * 50_000,
    "closed braces": "}}" * 50_000,
    "raw that never ends": "{% raw %}" * 11_000,
    "comments that never end": "{% comment %}" * 1900,
    "spaces": "{{" + " " * 99_000 + "}}",
    "spaces in many places": ("{{ a" + " " * 900 + "b }}") * 100,
    "quotes": "{{ '" * 25_000,
    "too much output": "{{ long }}" * 20,
    "names in names": ("{{ " + "a[" * 90 + "a" + "]" * 90 + " }}") * 90,
    "as many places as fit": "{{ z }}" * 14_000,
}


@pytest.mark.parametrize("source", COSTLY.values(), ids=COSTLY.keys())
def test_no_template_takes_long_or_much_memory(source: str) -> None:
    for html in (False, True):
        began = time.process_time()
        length = len(_rendered(source, html=html))
        took = time.process_time() - began
        # Watching the memory takes time of its own.
        tracemalloc.start()
        try:
            _rendered(source, html=html)
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert took < 2 * LONGEST_SECONDS
        assert most < MOST_MEMORY
        assert length <= MAX_OUTPUT


def _rendered(source: str, *, html: bool) -> str:
    try:
        return render(source, VALUES, html=html)
    except TemplateError:
        return ""


@pytest.mark.parametrize(
    "tag", ["include 'x'", "render 'x'", "layout 'x'", "extends 'x'", "assign a = 1", "capture a", "liquid echo a", "#"]
)
def test_no_other_tag_is_known(tag: str) -> None:
    with pytest.raises(TemplateError, match="Unexpected tag"):
        render(f"{{% {tag} %}}", VALUES)


@pytest.mark.parametrize(
    "name", ["replace: 'A', 'b'", "append: 'b'", "split: ''", "join", "map: 'x'", "safe", "times: 9"]
)
def test_no_other_filter_is_known(name: str) -> None:
    with pytest.raises(TemplateError) as raised:
        render(f"{{{{ a | {name} }}}}", VALUES)
    assert raised.value.unknown_filter


class Telling:
    """Whatever a template calls, it sees nothing of this."""

    secret = "SECRET"

    def delete(self) -> str:
        raise AssertionError("A template called a method.")

    __html__ = __liquid__ = delete

    def __str__(self) -> str:
        return "told"


def test_values_have_neither_attributes_nor_methods() -> None:
    values = {"a": "A", "thing": Telling(), "list": [Telling()], "map": {"x": Telling()}}
    for source in (
        "{{ a.__class__ }}{{ a['__class__'] }}{{ a.upper }}{{ a.__class__.__mro__ }}",
        "{{ thing.secret }}{{ thing.delete }}{{ thing['secret'] }}{{ list.append }}{{ list[0].secret }}",
        "{{ map.x.secret }}{{ map.items }}{{ map.keys }}{{ map.__init__.__globals__ }}{{ self }}{{ template }}",
        "{% for one in map %}{{ one[1].secret }}{% endfor %}",
    ):
        assert render(source, values).strip() == "", source
    assert render("{{ thing }} {{ list[0] }} {{ map.x }}", values) == "told told told"
    # Where values are escaped, the library asks them for their own HTML.
    assert render("{{ thing }} {{ list[0] }}", values, html=True) == "told told"


def test_values_are_copied_only_so_deep() -> None:
    endless: dict[str, Any] = {}
    endless["it"] = endless
    assert "it.it" not in render("{{ it }}", {"it": plain(endless)})


def test_what_is_allowed_works() -> None:
    for source, expected in {
        "{{ a | downcase | upcase }}": "A",
        "{% raw %}{{ a }}{% endraw %}": "{{ a }}",
        "x{% comment %}{{ nobody | knows }}{% endcomment %}y": "xy",
        "{% for i in list limit: 3 %}{{ forloop.index }}:{{ i }} {% endfor %}": "1:0 2:1 3:2 ",
        "{% case a %}{% when 'B', 'A', 'A' %}once{% else %}never{% endcase %}": "once",
        "{% unless z %}none{% endunless %}": "none",
        "{{ '2026-11-25' | date: '%d %B' }}": "25 November",
        "{{ '<b>fat</b> &amp; more' | strip_html }}": "fat & more",
        "{{ list | first }} {{ list | last }} {{ list.size }} {{ 1.26 | round: 1 }}": "0 999 1000 1.3",
    }.items():
        assert render(source, VALUES) == expected
    assert render("{{ x }} {{ x | escape }}", {"x": "<i>&"}, html=True) == "&lt;i&gt;&amp; &lt;i&gt;&amp;"


def test_an_error_says_where() -> None:
    for source, place in {"{{ a }}\n {% if %}": (2, 5), "x{{ a": (1, 2), "{{ a }}{% zzz %}": (1, 11)}.items():
        with pytest.raises(TemplateError) as raised:
            template_of(source)
        assert raised.value.place == place, str(raised.value)


def test_no_value_begins_another_header() -> None:
    for value in ("x\r\nBcc: y@z.test", "x\x00\nBcc: y", "x\u2028Bcc: y", "x\x85Bcc: y"):
        subject = render_text("Hi {{ it }}", {"it": value}, longest=200)
        assert len(subject.splitlines()) == 1
        assert subject.isprintable()


UNTIDY = {
    "bold and blocks": "<b><div>" * 25_000,
    "bold": "<b>" * 60_000,
    "lists": "<ul><li>" * 25_000,
    "cells": "<table><tr><td>" * 13_000,
    "links around paragraphs": "<a href=x><p>" * 2_400,
    "all that is repeated in each block": "<p>" + "<b><i><u><s><em><code><small>" * 4 + "<div>x</div>" * 2_000,
    "attributes that never end": "<a b=" * 40_000,
    "quotes that never end": '<a b="' * 30_000,
    "names that never end": "<a" + " b" * 90_000,
    "equal signs": "<a b" + "=" * 190_000,
    "comments that never end": "<!--" * 50_000,
    "scripts that never end": "<script>" * 25_000,
    "ends without beginnings": "</b>" * 50_000,
    "brackets": "<" * 100_000,
    "ampersands": "&" * 100_000,
    "marks": "[](*_`" * 30_000,
}


@pytest.mark.parametrize("html", UNTIDY.values(), ids=UNTIDY.keys())
def test_no_html_takes_long_to_clean(html: str) -> None:
    began = time.process_time()
    with suppress(TemplateError):
        text_of(clean(html))
    assert time.process_time() - began < 2 * LONGEST_SECONDS


NOT_IN_A_MAIL = (
    *("<script", "<style", "<link", "<form", "<input", "<iframe", "<svg", "<math", "<base", "<meta"),
    *("style=", "onclick=", "onerror=", "id=", "javascript:", "data:", "http:"),
)


def test_html_is_cleaned() -> None:
    for dirty in (
        "<script>alert(1)</script>",
        "<style>p{}</style>",
        "<link rel=stylesheet href=https://x.test/a.css>",
        "<form action=https://x.test><input name=p></form>",
        "<iframe src=https://x.test></iframe>",
        '<p style="position:fixed" onclick="x()" id="y">',
        '<a href="javascript:alert(1)">',
        '<a href="data:text/html,x">',
        '<a href="{{ it }}">',
        '<img src="http://x.test/a.png">',
        '<img src="data:image/png;base64,x">',
        '<p title="</p><script>alert(1)</script>">',
        "<svg><script>alert(1)</script></svg>",
        "<b <script>alert(1)</script>",
        "<math><mtext><style><img src=x onerror=alert(1)></style></mtext></math>",
        "<base href=https://x.test/><meta http-equiv=refresh content=0>",
    ):
        html = clean(render(dirty, {"it": "javascript:alert(1)"}, html=True)).lower()
        found = [bad for bad in NOT_IN_A_MAIL if bad in html]
        assert not found, (dirty, html)


def test_what_a_mail_is_made_of_stays() -> None:
    source = (
        '<h1>A &amp; B</h1><p>one<p class="button x">two <a class=button href="https://a.test/?x=1&amp;y=2">go</a>'
        "<ul><li>1<li>2<ul><li>3</ul></ul><table><tr><td align=right>1<td>2<tr><td>3</table>1 < 2<!-- gone -->"
    )
    assert clean(source) == (
        '<h1>A &amp; B</h1><p>one</p><p class="button">two '
        '<a class="button" href="https://a.test/?x=1&amp;y=2" rel="noopener noreferrer">go</a></p>'
        "<ul><li>1</li><li>2<ul><li>3</li></ul></li></ul>"
        '<table><tbody><tr><td align="right">1</td><td>2</td></tr><tr><td>3</td></tr></tbody></table>1 &lt; 2'
    )
    assert clean(clean(source)) == clean(source)


def test_values_cannot_add_markup_to_a_mail() -> None:
    default = Source("{{ it }}", "<p>{{ it }}</p>", "{{ it }}")
    said = words(Own(), default, {"it": '<script>alert("x")</script>\r\nBcc: a@b.test'})
    assert said.subject == '<script>alert("x")</script> Bcc: a@b.test'
    assert "<script" not in said.html
    assert "&lt;script&gt;" in said.html
