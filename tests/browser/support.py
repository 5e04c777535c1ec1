"""What the browser tests share: sizes, screenshots, mails, and an authenticator app."""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyotp
import pytest

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "var" / "screenshots"
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
NARROWEST = {"width": 320, "height": 568}
SCHEMES = ("light", "dark")
STEP_SECONDS = 30


def watch(page: Any, platform: str, wrong: list[str]) -> None:
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    page.on("request", lambda request: _note_outside(request.url, platform, wrong))


def _note_outside(url: str, platform: str, wrong: list[str]) -> None:
    if not url.startswith((platform, "data:", "blob:", "about:")):
        wrong.append(f"outside: {url}")


def look_at(page: Any, name: str, *, whole: bool = True) -> None:
    """Keep the page as it is now, in every size and scheme, the whole of it or only what the window shows.

    It has to fit, also on the narrowest phone.
    """
    SHOTS.mkdir(parents=True, exist_ok=True)
    for size, viewport in SIZES.items():
        page.set_viewport_size(viewport)
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=SHOTS / f"{name}-{size}-{scheme}.png", full_page=whole)
        assert _width(page) <= viewport["width"]
    page.set_viewport_size(NARROWEST)
    assert _width(page) <= NARROWEST["width"]
    page.set_viewport_size(SIZES["desktop"])
    page.emulate_media(color_scheme="light")


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
