"""What the browser tests share: sizes, screenshots, mails, and an authenticator app."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyotp
import pytest

from platform_site.local.environment import read_env_file
from platform_site.local.layout import Layout

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "var" / "screenshots"
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
NARROWEST = {"width": 320, "height": 568}
SCHEMES = ("light", "dark")
STEP_SECONDS = 30
ADMIN = {"tenantSlug": "demo", "email": "admin@demo.test", "password": "demo-admin-pass"}


@contextmanager
def opened(browser: Any, *ours: str) -> Iterator[Any]:
    """A page whose script errors and requests to others than ``ours`` fail the test. So do its popups."""
    context = browser.new_context(viewport=SIZES["desktop"])
    wrong: list[str] = []
    context.on("page", lambda page: watch(page, ours, wrong))
    page = context.new_page()
    page.set_default_timeout(15_000)
    yield page
    context.close()
    assert wrong == []


def watch(page: Any, ours: str | Sequence[str], wrong: list[str]) -> None:
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    known = (*([ours] if isinstance(ours, str) else ours), "data:", "blob:", "about:")
    page.on("request", lambda request: _note_outside(request.url, known, wrong))


def _note_outside(url: str, known: tuple[str, ...], wrong: list[str]) -> None:
    if not url.startswith(known):
        wrong.append(f"outside: {url}")


def look_at(page: Any, name: str, *, whole: bool = True) -> None:
    """Keep the page as it is now, in every size and scheme, the whole of it or only what the window shows.

    It has to fit, also on the narrowest phone.
    """
    SHOTS.mkdir(parents=True, exist_ok=True)
    for size, viewport in SIZES.items():
        page.set_viewport_size(viewport)
        for scheme in SCHEMES:
            _show_in(page, scheme)
            page.screenshot(path=SHOTS / f"{name}-{size}-{scheme}.png", full_page=whole)
        assert _width(page) <= viewport["width"]
    page.set_viewport_size(NARROWEST)
    page.screenshot(path=SHOTS / f"{name}-narrow-{SCHEMES[-1]}.png", full_page=whole)
    assert _width(page) <= NARROWEST["width"]
    page.set_viewport_size(SIZES["desktop"])
    _show_in(page, "light", "auto")


# The admin asks the browser for its scheme only while it loads, and loading anew would lose the answer to a form.
# So this sets what the admin's own switch sets, and waits until nothing moves. Gives False where that did not work.
_SWITCH = """async choice => {
    const root = document.documentElement;
    if (!root.hasAttribute("x-data")) return true;
    Alpine.$data(root).adminTheme = choice;
    await Alpine.nextTick();
    const moving = document.getAnimations().filter(one => Number.isFinite(one.effect.getComputedTiming().endTime));
    await Promise.allSettled(moving.map(one => one.finished));
    return choice === "auto" || root.classList.contains(choice);
}"""


def _show_in(page: Any, scheme: str, choice: str = "") -> None:
    """In this scheme; ``choice`` is what the admin's switch is left at, "auto" for whatever the browser says."""
    page.emulate_media(color_scheme=scheme)
    assert page.evaluate(_SWITCH, choice or scheme), f"the admin is not {scheme}"


def _width(page: Any) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth"))


def mailed_link(page: Any, platform: str, address: str, path: str) -> str:
    """The path of the link in the newest mail to the address that leads to ``path``; waits for the mail."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for mail in page.request.get(f"{platform}/dev/mail.json").json():
            found = re.search(rf"{re.escape(path)}[\w.?=-]+", mail["text"])
            if mail["to"] == address and found:
                return found[0]
        page.wait_for_timeout(250)
    return pytest.fail(f"no mail to {address} with {path}")


@dataclass
class Running:
    """The platform as ``make run`` started it."""

    url: str
    home: Path
    environment: dict[str, str]
    supervisor: "subprocess.Popen[bytes]"

    @property
    def stripe(self) -> str:
        """The address of the local Stripe that runs beside it."""
        port = Layout(self.home).stripe_port_file.read_text()
        return f"http://127.0.0.1:{port}"

    def steer_stripe(self, method: str, path: str, body: Any = None) -> Any:
        """What the local Stripe takes from nobody but us, such as failures."""
        key = read_env_file(Layout(self.home).stripe_dir / "secrets.env")["STRIPE_SECRET_KEY"]
        request = urllib.request.Request(f"{self.stripe}/_local{path}", method=method)  # noqa: S310 - ours
        request.add_header("Authorization", f"Bearer {key}")
        with urllib.request.urlopen(request, json.dumps(body or {}).encode(), timeout=10) as answer:  # noqa: S310 - ours
            return json.load(answer)

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            assert self.supervisor.poll() is None, "the platform did not start"
            try:
                with urllib.request.urlopen(f"{self.url}/api/v1/health/ready", timeout=2) as answer:  # noqa: S310 - ours
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.3)
        pytest.fail("the platform did not get ready")

    def kill_web(self) -> None:
        """As ``kill -9`` does to the process that answers requests and sockets. It is started again by itself."""
        os.kill(self._web(), signal.SIGKILL)

    def _web(self) -> int:
        """The process whose parent is the supervisor and which runs the web server."""
        for status in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(status.read_text().rpartition(")")[2].split()[1])
                command = (status.parent / "cmdline").read_text()
            except OSError:
                continue
            if parent == self.supervisor.pid and "platform_site.local.web" in command:
                return int(status.parent.name)
        raise AssertionError("there is no web process")


@contextmanager
def started(home: Path, **more: str) -> Iterator[Running]:
    """The whole platform in a home of its own, as a newcomer gets it, with ``more`` in its environment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    keep = {"PATH", "HOME", "LANG", "VIRTUAL_ENV"}
    environment = {name: value for name, value in os.environ.items() if name in keep}
    environment |= {"PORT": str(port), "VAR_DIR": str(home), **more}
    supervisor = subprocess.Popen(
        [sys.executable, "-m", "platform_site.local.run"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    running = Running(f"http://127.0.0.1:{port}", home, environment, supervisor)
    try:
        running.wait_until_ready()
        yield running
    finally:
        supervisor.send_signal(signal.SIGINT)
        supervisor.wait(60)


class Api:
    """The API of the platform, for what happens before somebody opens a page."""

    def __init__(self, page: Any, platform: str) -> None:
        self.page, self.platform = page, platform
        self.token = ""

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        answer = self.page.request.fetch(
            f"{self.platform}/api/v1{path}", method=method, data=body if body is not None else {}, headers=headers
        )
        assert answer.ok, answer.text()
        return answer.json()["data"]

    def sign_in(self, **who: str) -> "Api":
        self.token = self.call("POST", "/auth/login", who)["accessToken"]
        return self

    def register(self, slug: str, password: str) -> dict[str, str]:
        """A company, whose administrator is signed in then. Gives what somebody signs in with."""
        email = f"admin@{slug}.test"
        body = {"companyName": slug.title(), "slug": slug, "adminEmail": email, "adminPassword": password}
        self.token = self.call("POST", "/tenants/register", {**body, "adminFirstName": "Ada"})["accessToken"]
        return {"tenantSlug": slug, "email": email, "password": password}

    def invite(self, **who: str) -> str:
        """The path of the link that was mailed."""
        self.call("POST", "/users", who)
        return mailed_link(self.page, self.platform, who["email"], "/accept-invitation/")


@dataclass
class App:
    """An authenticator app that never gives the same code twice."""

    secret: str
    last_step: int = 0

    def code(self) -> str:
        """The code that is right now, or the next one, which is accepted already. Waits when that was given too."""
        step = max(self.last_step + 1, int(time.time()) // STEP_SECONDS)
        time.sleep(max(0.0, (step - 1) * STEP_SECONDS - time.time()))
        self.last_step = step
        return pyotp.TOTP(self.secret).generate_otp(step)


def sign_in_here(page: Any, who: dict[str, str]) -> None:
    """On a page of development."""
    for label, value in (
        ("Workspace", who["tenantSlug"]),
        ("E-mail address", who["email"]),
        ("Password", who["password"]),
    ):
        page.get_by_label(label, exact=True).fill(value)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_role("button", name="Sign out").wait_for()


def fill_card(page: Any, number: str) -> None:
    """On a page of the local Stripe."""
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expiry").fill("12 / 60")
    page.get_by_label("CVC").fill("123")
