"""The whole platform as ``make run`` starts it, and a browser to look at it.

Needs chromium on the machine. Screenshots are kept in ``var/screenshots`` to be
looked at: light and dark, desktop and phone.
"""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.support import Running, opened, started

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def platform(running: Running) -> str:
    return running.url


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    # A company's own mail server stands on this machine in tests, and all of them sign up from one address.
    with started(tmp_path_factory.mktemp("home"), SMTP_ALLOW_PRIVATE="1", RATE_LIMITS="off") as running:
        yield running


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
    with opened(browser, platform) as page:
        yield page
