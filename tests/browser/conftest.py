"""The whole platform as ``make run`` starts it, and a browser to look at it.

Needs chromium on the machine. Screenshots are kept in ``var/screenshots`` to be
looked at: light and dark, desktop and phone.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.support import ROOT, SIZES, watch

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


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
    opened.set_default_timeout(15_000)
    wrong: list[str] = []
    watch(opened, platform, wrong)
    yield opened
    context.close()
    assert wrong == []
