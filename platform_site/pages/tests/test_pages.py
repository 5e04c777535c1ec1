"""Pages for people: what they show, what they may load, and what stays out of them."""

import re
import runpy
from pathlib import Path
from posixpath import normpath
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

# Imported before any test turns the development pages on, so that no other test finds them mounted.
import platform_site.urls
from accounts.links import page_url
from platform_site.local.layout import Layout
from platform_site.pages.middleware import STRICT_POLICY

TOKEN = "vfy_019aaf1e.019aaf1e.c2VjcmV0"
MAILED = [f"/{name}/{TOKEN}" for name in ("verify-email", "accept-invitation", "reset-password", "impersonate")]
DEVELOPMENT = ["/dev/chat", "/dev/billing", "/dev/setup", "/dev/mail"]
PERSON = [*MAILED, "/sign-in", "/sign-in?workspace=acme", "/forgot-password", "/find-workspaces", "/account"]


def crash(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a secret of the inside")


urlpatterns = [
    path("", include("platform_site.pages.urls")),
    path("dev/", include("platform_site.pages.dev_urls")),
    path("crash", crash),
    path("api/v1/crash", crash),
]
handler404 = "platform_site.pages.views.page_not_found"
handler500 = "platform_site.pages.views.server_error"

# The database is closed to all tests here that do not ask for it: no page of ours needs it.


@pytest.fixture
def browser() -> Client:
    return Client(raise_request_exception=False)


@pytest.fixture
def mailbox(settings: Any, tmp_path: Path) -> Path:
    settings.DEVELOPMENT_PAGES = True
    settings.LAYOUT = Layout(tmp_path)
    folder: Path = settings.LAYOUT.mail_dir / "new"
    folder.mkdir(parents=True)
    for number, subject in ((1, "First"), (2, "Second")):
        folder.joinpath(f"170000000{number}000000000.7_{number}").write_text(
            f"To: ada@acme.test\nSubject: {subject}\nDate: Mon, 23 Nov 2026 09:00:0{number} +0000\n"
            'MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary="b"\n\n'
            "--b\nContent-Type: text/plain\n\nHello in words\n"
            "--b\nContent-Type: text/html\n\n<b>Hello</b><script>alert(1)</script>\n--b--\n"
        )
    return folder


def test_the_start_page_leads_on(browser: Client, settings: Any) -> None:
    settings.DEVELOPMENT_PAGES = True
    page = browser.get("/").content.decode()
    for target in ("/api/docs", "/admin/", *DEVELOPMENT, "/api/v1/health/system"):
        assert f'href="{target}"' in page
    assert "demo-admin-pass" in page


def test_only_development_machines_show_sign_ins_and_mail(browser: Client, settings: Any) -> None:
    settings.DEVELOPMENT_PAGES = False
    page = browser.get("/").content.decode()
    assert "-pass" not in page
    assert "/dev/" not in page


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("address", ["/", *PERSON, *DEVELOPMENT, "/nope", "/crash"])
def test_pages_load_nothing_from_elsewhere_and_all_that_they_load_is_there(
    browser: Client, settings: Any, address: str
) -> None:
    settings.DEVELOPMENT_PAGES = True
    answer = browser.get(address)
    assert answer["Content-Security-Policy"] == STRICT_POLICY
    assert answer["X-Frame-Options"] == "DENY"
    page = answer.content.decode()
    loaded = re.findall(r'(?:src|<link[^>]*href)="([^"]*)"', page)
    assert loaded
    for one in loaded:
        assert one.startswith("/static/"), one
        assert finders.find(one.removeprefix("/static/")), one
    # What the policy forbids would silently not work.
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|<script>", page)


@pytest.mark.parametrize("address", PERSON)
def test_pages_about_a_person_are_kept_nowhere_and_tell_nobody(browser: Client, address: str) -> None:
    answer = browser.get(address)
    assert answer["Referrer-Policy"] == "no-referrer"
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Robots-Tag"] == "noindex"
    assert not answer.cookies


@pytest.mark.parametrize("address", MAILED)
def test_a_mailed_token_stays_in_the_address(browser: Client, address: str) -> None:
    assert TOKEN not in browser.get(address).content.decode()


@pytest.mark.parametrize("address", PERSON)
def test_opening_a_page_does_nothing_and_posting_to_it_is_refused(browser: Client, address: str) -> None:
    # The database is closed here, so whatever a page did would fail.
    assert browser.get(address).status_code == 200
    assert browser.head(address).status_code == 200
    assert browser.post(address, {"password": "a long walk by the sea"}).status_code == 405


@pytest.mark.parametrize("frontend", ["", "https://app.example.com"])
def test_a_frontend_takes_the_links_of_mails_but_leaves_the_pages(
    browser: Client, settings: Any, frontend: str
) -> None:
    settings.FRONTEND_URL = frontend
    assert page_url("/sign-in") == f"{frontend or settings.PUBLIC_URL}/sign-in"
    assert [address for address in PERSON if browser.get(address).status_code != 200] == []


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("address", [*PERSON, "/dev/billing", "/dev/setup"])
def test_each_field_has_its_label_and_a_place_for_what_is_wrong_with_it(
    browser: Client, settings: Any, address: str
) -> None:
    settings.DEVELOPMENT_PAGES = True
    page = browser.get(address).content.decode()
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for field in re.findall(r"<(?:input|textarea) [^>]*name=[^>]*>", page):
        if 'type="radio"' in field:
            continue
        name = re.search(r'id="([^"]+)"', field)
        assert name is not None
        assert f'<label for="{name[1]}">' in page
        assert f'id="{name[1]}-wrong"' in page
        assert re.search(r'autocomplete="[a-z-]+"', field)
    # Without scripts a form must not put a password into an address.
    assert all('method="post"' in form for form in re.findall(r"<form [^>]*>", page))


def test_scripts_import_only_what_is_there() -> None:
    folder = Path(finders.find("pages/api.js") or "").parent
    for script in folder.glob("*.js"):
        for imported in re.findall(r'from "([^"]+)"', script.read_text()):
            assert imported.startswith(("./", "../clients/")), script
            assert finders.find(normpath(f"pages/{imported}")), f"{script.name}: {imported}"
        assert "innerHTML" not in script.read_text()


@pytest.mark.urls(__name__)
def test_a_crash_says_nothing_of_the_inside(browser: Client) -> None:
    page = browser.get("/crash")
    assert page.status_code == 500
    assert "secret" not in page.content.decode()
    api = browser.get("/api/v1/crash")
    assert (api.status_code, api.json()["error"]["code"]) == (500, "internal_error")
    assert "secret" not in api.content.decode()


def test_nothing_is_a_page_for_people_and_json_for_clients(browser: Client) -> None:
    page = browser.get("/nope")
    assert page.status_code == 404
    assert "There is nothing here" in page.content.decode()
    api = browser.get("/api/v1/nope")
    assert (api.status_code, api.json()["error"]["code"]) == (404, "not_found")


# Where others lead to


@pytest.mark.parametrize(
    ("address", "leads_to"),
    [
        ("/billing", "/dev/billing"),
        ("/billing?session_id=cs_test_a1", "/dev/billing?session_id=cs_test_a1"),
        ("/billing?next=%2F%2Felsewhere.example", "/dev/billing?next=%2F%2Felsewhere.example"),
        ("/setup", "/dev/setup"),
    ],
)
def test_pages_of_the_product_are_pages_for_trying_it_out_while_it_is_developed(
    browser: Client, settings: Any, address: str, leads_to: str
) -> None:
    settings.DEVELOPMENT_PAGES = True
    answer = browser.get(address)
    assert (answer.status_code, answer["Location"]) == (302, leads_to)
    assert answer["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("address", ["/billing", "/billing?session_id=cs_test_a1", "/setup"])
def test_elsewhere_they_say_where_to_go_on_and_keep_to_themselves(browser: Client, settings: Any, address: str) -> None:
    settings.DEVELOPMENT_PAGES = False
    answer = browser.get(address)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "You can go back to the product now" in page
    assert "cs_test" not in page
    assert "/dev/" not in page
    assert answer["Content-Security-Policy"] == STRICT_POLICY
    assert (answer["Referrer-Policy"], answer["Cache-Control"]) == ("no-referrer", "no-store")
    assert browser.post(address).status_code == 405


# The mailbox


@pytest.mark.urls(__name__)
def test_the_mailbox_gives_the_newest_first(browser: Client, mailbox: Path) -> None:
    assert browser.get("/dev/mail").status_code == 200
    mails = browser.get("/dev/mail.json").json()
    assert [mail["subject"] for mail in mails] == ["Second", "First"]
    assert mails[0] == {
        "id": "1700000002000000000.7_2",
        "to": "ada@acme.test",
        "subject": "Second",
        "text": "Hello in words",
        "html": "<b>Hello</b><script>alert(1)</script>",
        "sentAt": "2026-11-23T09:00:02.000Z",
    }


@pytest.mark.urls(__name__)
def test_a_mail_is_shown_in_a_sandbox(browser: Client, mailbox: Path) -> None:
    answer = browser.get("/dev/mail/1700000002000000000.7_2/html")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert browser.get("/dev/mail/1700000009000000000.7_9/html").status_code == 404
    assert browser.get("/dev/mail/..%2F..%2Fsecrets.env/html").status_code == 404


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("address", [*DEVELOPMENT, "/dev/mail.json", "/dev/mail/1700000002000000000.7_2/html"])
def test_elsewhere_there_are_no_pages_of_development_even_where_they_are_mounted(
    browser: Client, mailbox: Path, settings: Any, address: str
) -> None:
    settings.DEVELOPMENT_PAGES = False
    assert browser.get(address).status_code == 404


@pytest.mark.parametrize("development", [True, False])
def test_only_development_machines_mount_the_mailbox(settings: Any, development: bool) -> None:
    settings.DEVELOPMENT_PAGES = development
    patterns = runpy.run_path(str(platform_site.urls.__file__))["urlpatterns"]
    assert ("dev/" in [str(pattern.pattern) for pattern in patterns]) is development
