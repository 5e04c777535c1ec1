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
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.support import ROOT, SIZES, Running, watch

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture(scope="session")
def platform(running: Running) -> str:
    return running.url


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The whole platform in a home of its own, as a newcomer gets it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    keep = {"PATH", "HOME", "LANG", "VIRTUAL_ENV"}
    environment = {name: value for name, value in os.environ.items() if name in keep}
    environment |= {"PORT": str(port), "VAR_DIR": str(tmp_path_factory.mktemp("home"))}
    supervisor = subprocess.Popen(
        [sys.executable, "-m", "platform_site.local.run"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    running = Running(f"http://127.0.0.1:{port}", supervisor)
    try:
        running.wait_until_ready()
        yield running
    finally:
        supervisor.send_signal(signal.SIGINT)
        supervisor.wait(60)


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
