"""Every page in a real browser, against what ``make run`` starts.

Needs chromium on the machine. Screenshots are kept in ``var/screenshots`` to be
looked at: light and dark, desktop and phone.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "var" / "screenshots"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
PAGES = {
    "start": "/",
    "verify": "/verify-email/x",
    "mail": "/dev/mail",
    "docs": "/api/docs",
    "admin-sign-in": "/admin/login/",
}

pytestmark = [pytest.mark.browser, pytest.mark.no_django, pytest.mark.timeout(300)]


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The whole platform in a home of its own, as a newcomer gets it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    keep = {"PATH", "HOME", "LANG", "VIRTUAL_ENV"}
    environment = {name: value for name, value in os.environ.items() if name in keep}
    environment |= {"PORT": str(port), "VAR_DIR": str(tmp_path_factory.mktemp("home"))}
    running = subprocess.Popen(
        [sys.executable, "-m", "platform_site.local.run"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/api/v1/health/ready", running)
        yield url
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(60)


def _wait_for(url: str, running: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        assert running.poll() is None, "the platform did not start"
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - our own port
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.3)
    pytest.fail("the platform did not get ready")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    if CHROMIUM is None:
        pytest.fail("chromium is missing: install it (apt-get install chromium) to run the browser tests")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-quic", "--disable-background-networking", "--disable-component-update"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Any, platform: str) -> Iterator[Any]:
    """A page whose script errors and outside requests fail the test."""
    context = browser.new_context(viewport=SIZES["desktop"])
    opened = context.new_page()
    wrong: list[str] = []
    watch(opened, platform, wrong)
    yield opened
    context.close()
    assert wrong == []


def watch(page: Any, platform: str, wrong: list[str]) -> None:
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    page.on("request", lambda request: _note_outside(request.url, platform, wrong))


def _note_outside(url: str, platform: str, wrong: list[str]) -> None:
    if not url.startswith((platform, "data:", "blob:", "about:")):
        wrong.append(f"outside: {url}")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", PAGES)
def test_each_page_fits_and_asks_nobody_else(browser: Any, platform: str, name: str, size: str, scheme: str) -> None:
    context = browser.new_context(viewport=SIZES[size], color_scheme=scheme)
    page = context.new_page()
    wrong: list[str] = []
    watch(page, platform, wrong)
    answer = page.goto(platform + PAGES[name], wait_until="networkidle")
    assert answer.status == 200
    width = page.evaluate("document.documentElement.scrollWidth")
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"{name}-{size}-{scheme}.png")
    context.close()
    assert wrong == []
    assert width <= SIZES[size]["width"]


def test_a_company_signs_up_and_confirms_its_address_in_the_browser(page: Any, platform: str) -> None:
    page.goto(platform, wait_until="networkidle")
    registered = page.evaluate(
        """async () => (await fetch("/api/v1/tenants/register", {
            method: "POST", headers: {"Content-Type": "application/json"},
            body: JSON.stringify({companyName: "Browser Corp", slug: "browser-corp", adminEmail: "b@browser.test",
                                  adminPassword: "secure-password"})})).status"""
    )
    assert registered == 201
    link = _mailed_link(page, platform)
    page.goto(platform + link)
    page.get_by_role("button").click()
    page.get_by_text("Thank you, that worked").wait_for()
    page.goto(platform + link)
    page.get_by_role("button").click()
    page.get_by_text("Already confirmed").wait_for()


def _mailed_link(page: Any, platform: str) -> str:
    for _ in range(60):
        listed = page.evaluate("async () => JSON.stringify(await (await fetch('/dev/mail.json')).json())")
        found = re.search(r"/verify-email/vfy_[\w.-]+", listed)
        if found:
            return found[0]
        page.wait_for_timeout(250)
    return pytest.fail("no mail came")


def test_a_link_that_is_not_valid_says_so_kindly(page: Any, platform: str) -> None:
    page.goto(f"{platform}/verify-email/nonsense")
    page.get_by_role("button").click()
    page.get_by_text("This link does not work").wait_for()


def test_staff_sign_in_and_see_the_tenants(page: Any, platform: str) -> None:
    page.goto(f"{platform}/admin/")
    page.fill("input[name=username]", "staff@platform.test")
    page.fill("input[name=password]", "demo-staff-pass")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{platform}/admin/")
    page.goto(f"{platform}/admin/tenancy/tenant/", wait_until="networkidle")
    assert "Demo Company" in page.content()
    assert page.locator("text=Add tenant").count() == 0
    page.screenshot(path=SHOTS / "admin-tenants.png")


def test_the_docs_show_every_section(page: Any, platform: str) -> None:
    page.goto(f"{platform}/api/docs", wait_until="networkidle")
    page.get_by_text("Register a company with its first administrator").wait_for()
