"""How mails look: compiled from what is checked in, readable in any colour, and nothing loaded from anywhere."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail

from platform_site.mail import send_platform_mail
from platform_site.mail_html import _contrast, inline, look, page
from platform_site.mail_layout import COMPILED, compiled


def test_the_layout_that_is_checked_in_is_what_its_source_becomes() -> None:
    assert COMPILED.read_text(encoding="utf-8") == compiled(), "make mails"


def test_the_layout_loads_nothing() -> None:
    source = COMPILED.read_text(encoding="utf-8")
    assert "@import" not in source
    assert "<link" not in source


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """The address of a server, and the paths that it was asked for."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"p { color: #abcdef }")

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", paths
    server.shutdown()
    server.server_close()


def test_style_sheets_of_others_are_not_fetched(asked: tuple[str, list[str]], tmp_path: Path) -> None:
    address, paths = asked
    (tmp_path / "x.css").write_text("p { color: #fedcba }")
    made = inline(
        f'<html><head><link rel="stylesheet" href="{address}/x.css">'
        f'<link rel="stylesheet" href="{(tmp_path / "x.css").as_uri()}"><link rel="stylesheet" href="{tmp_path}/x.css">'
        '<link rel="stylesheet" href="file:///etc/hostname"></head><body><p>Hello</p></body></html>'
    )
    assert paths == []
    assert "#abcdef" not in made
    assert "#fedcba" not in made
    assert Path("/etc/hostname").read_text().strip() not in made
    assert "<p>Hello</p>" in made


def test_styles_stand_in_the_elements_and_rules_for_screens_stay() -> None:
    made = page("mail/layout.html", {"heading": "Hello"}, look=look("Acme"))
    assert '<h1 style="' in made
    assert "@media (prefers-color-scheme: dark)" in made
    assert "max-width: 479px" in made


@pytest.mark.parametrize(
    "color", ["#0f766e", "#ffffff", "#000000", "#ffe600", "#777777", "#1d4ed8", "#fff", "#e11d48", "#84cc16"]
)
def test_every_colour_can_be_read(color: str) -> None:
    chosen = look("Acme", primary=color)
    assert _contrast(chosen.primary, chosen.on_primary) >= 4.5
    assert _contrast(chosen.link, "#ffffff") >= 4.5
    assert _contrast(chosen.link_in_dark, "#1a212a") >= 4.5


@pytest.mark.parametrize("color", ["red", "#12", "#1234567", "red;background:url(https://x.test)", "#12345g", ""])
def test_what_is_no_colour_is_not_used(color: str) -> None:
    assert look("Acme", primary=color) == look("Acme")


@pytest.mark.parametrize("address", ["http://x.test/l.png", "javascript:alert(1)", "data:image/png;base64,AA", ""])
def test_a_logo_is_on_https_or_there_is_none(address: str) -> None:
    made = page("mail/layout.html", {}, look=look("Acme & Sons", logo_url=address))
    assert "<img" not in made
    assert "Acme &amp; Sons" in made
    assert 'src="https://x.test/l.png"' in page("mail/layout.html", {}, look=look("A", logo_url="https://x.test/l.png"))


def test_a_mail_of_the_platform_is_text_and_html_of_one_look() -> None:
    values: dict[str, object] = {"name": "<b>Bob</b>", "url": "https://app.test/verify-email/a.b"}
    send_platform_mail(to="bob@acme.test", template="accounts/mail/verify_email", values=values, cause=uuid4())
    sent: Any = mail.outbox[-1]
    html, kind = sent.alternatives[0]
    assert kind == "text/html"
    assert "<b>Bob</b>" in sent.body
    assert "&lt;b&gt;Bob&lt;/b&gt;" in html
    assert "<b>Bob" not in html
    assert 'lang="en"' in html
    assert "background-color: #0f766e" in html.partition("https://app.test/verify-email/a.b")[2]
