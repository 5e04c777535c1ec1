"""Two people write to each other in two windows, while the server dies in between."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.browser.support import ADMIN, SIZES, Api, Running, look_at, watch

pytestmark = [pytest.mark.browser, pytest.mark.no_django, pytest.mark.timeout(300)]

# More than a page.
LINES = 80
_numbers = itertools.count(1)


@dataclass
class Window:
    """One person's window."""

    page: Any
    platform: str
    wrong: list[str] = field(default_factory=list)

    def sign_in(self, who: str) -> "Window":
        self.page.goto(f"{self.platform}/dev/chat")
        self.page.get_by_role("button", name=f"Demo {who}").click()
        self.is_live()
        return self

    def is_live(self) -> None:
        self.page.get_by_text("Live", exact=True).wait_for(timeout=60_000)
        self.page.locator("#banner").wait_for(state="hidden")

    def pick(self, *names: str) -> None:
        self.page.get_by_role("button", name="New conversation").click()
        for name in names:
            self.page.get_by_label("People").fill(name)
            self.page.get_by_role("checkbox", name=re.compile(name)).check()

    def open(self, channel: str) -> None:
        self.page.locator("#channels").get_by_role("button", name=re.compile(channel)).click()
        self.page.get_by_role("heading", name=channel).wait_for()

    def say(self, text: str) -> None:
        self.page.get_by_label("Message", exact=True).fill(text)
        self.page.keyboard.press("Enter")

    def bubble(self, text: str) -> Any:
        return self.page.locator(".message", has_text=text)

    def sees(self, text: str) -> None:
        self.bubble(text).first.wait_for()

    @property
    def said(self) -> list[str]:
        """All that stands in the open conversation, from top to bottom, without the times."""
        texts: list[str] = self.page.locator(".message .bubble").evaluate_all(
            "bubbles => bubbles.map(one => one.firstChild.textContent)"
        )
        return texts

    def badge(self, channel: str) -> Any:
        return self.page.locator("#channels li", has_text=channel).locator(".badge")


@pytest.fixture
def windows(browser: Any, platform: str) -> Iterator[list[Window]]:
    """The admin's and the member's, both signed in."""
    opened = []
    for _ in range(2):
        page = browser.new_context(viewport=SIZES["desktop"]).new_page()
        page.set_default_timeout(15_000)
        window = Window(page, platform)
        watch(page, platform, window.wrong)
        opened.append(window)
    yield [window.sign_in(who) for window, who in zip(opened, ("admin", "member"), strict=True)]
    for window in opened:
        window.page.context.close()
        assert window.wrong == []


@pytest.fixture
def api(browser: Any, platform: str) -> Iterator[Api]:
    context = browser.new_context()
    yield Api(context.new_page(), platform)
    context.close()


@pytest.fixture(scope="module")
def third(browser: Any, platform: str) -> str:
    """The name of somebody else who could be talked to."""
    context = browser.new_context()
    api = Api(context.new_page(), platform)
    link = api.sign_in(**ADMIN).invite(email="third@demo.test", firstName="Pat", lastName="Third")
    api.call(
        "POST", "/users/accept-invitation", {"token": link.rpartition("/")[2], "password": "a long walk by the sea"}
    )
    context.close()
    return "Pat Third"


@pytest.fixture
def direct(windows: list[Window]) -> tuple[Window, Window]:
    """Both with their direct channel open."""
    ada, max_ = windows
    ada.pick("Max Member")
    ada.page.get_by_role("button", name="Begin").click()
    ada.page.get_by_role("heading", name="Max Member").wait_for()
    max_.open("Dana Admin")
    return ada, max_


def test_what_one_says_the_other_sees(direct: tuple[Window, Window]) -> None:
    ada, max_ = direct
    number = next(_numbers)
    ada.page.get_by_label("Message", exact=True).press_sequentially(f"Hello {number}", delay=20)
    max_.page.get_by_text("Dana is typing…").first.wait_for()
    ada.page.keyboard.press("Enter")
    max_.sees(f"Hello {number}")
    max_.page.locator("#typing:empty").wait_for(state="attached")
    max_.say(f"Hello yourself {number}")
    ada.sees(f"Hello yourself {number}")
    # A line break is one, and nothing that somebody writes is more than text.
    ada.page.get_by_label("Message", exact=True).fill("<img src=x onerror=alert(1)>")
    ada.page.keyboard.press("Shift+Enter")
    ada.page.keyboard.type("second line")
    ada.page.keyboard.press("Enter")
    max_.sees("second line")
    assert max_.said[-1] == "<img src=x onerror=alert(1)>\nsecond line"
    assert max_.page.locator(".bubble img").count() == 0
    ada.page.get_by_text("Seen", exact=True).wait_for()


def test_messages_are_changed_deleted_and_reacted_to(direct: tuple[Window, Window]) -> None:
    ada, max_ = direct
    number = next(_numbers)
    ada.say(f"Wrng {number}")
    max_.sees(f"Wrng {number}")
    ada.page.get_by_label("Message", exact=True).press("ArrowUp")
    ada.page.get_by_label("Message", exact=True).fill(f"Wrong {number}")
    look_at(ada.page, "chat-editing", whole=False)
    ada.page.keyboard.press("Enter")
    max_.sees(f"Wrong {number}")
    assert f"Wrng {number}" not in max_.said
    max_.bubble(f"Wrong {number}").hover()
    max_.bubble(f"Wrong {number}").get_by_role("button", name="React with 🎉").click()
    ada.bubble(f"Wrong {number}").get_by_role("button", name="🎉: Max Member").wait_for()
    ada.bubble(f"Wrong {number}").get_by_role("button", name="🎉: Max Member").click()
    max_.bubble(f"Wrong {number}").get_by_text("🎉 2").wait_for()
    ada.bubble(f"Wrong {number}").hover()
    ada.bubble(f"Wrong {number}").get_by_role("button", name="Delete").click()
    ada.bubble(f"Wrong {number}").get_by_role("button", name="Delete").click()
    max_.page.locator(".message.gone").last.wait_for()
    max_.page.locator("#channels").get_by_text("Message deleted").wait_for()
    assert f"Wrong {number}" not in max_.page.locator("#chat").inner_text()


def test_what_is_unread_has_a_badge_until_it_is_seen(windows: list[Window], third: str) -> None:
    ada, max_ = windows
    name = f"Group {next(_numbers)}"
    ada.pick("Max Member", third)
    look_at(ada.page, "chat-picker", whole=False)
    ada.page.get_by_role("button", name="Create the group").click()
    ada.page.get_by_text("Please fill this in.").wait_for()
    ada.page.get_by_label("Name of the group").fill(name)
    ada.page.get_by_role("button", name="Create the group").click()
    ada.page.get_by_role("heading", name=name).wait_for()
    for number in range(3):
        ada.say(f"Unread {number}")
    max_.badge(name).get_by_text("3").wait_for()
    max_.page.wait_for_function("document.title.startsWith('(')")
    look_at(max_.page, "chat-list", whole=False)
    max_.open(name)
    max_.sees("Unread 2")
    max_.page.get_by_text("New", exact=True).wait_for()
    max_.badge(name).wait_for(state="hidden")
    max_.page.reload()
    max_.is_live()
    max_.page.locator("#channels li", has_text=name).wait_for()
    assert max_.badge(name).is_hidden()


def test_earlier_messages_come_when_one_scrolls_up(direct: tuple[Window, Window], api: Api) -> None:
    ada, max_ = direct
    channel = api.sign_in(**ADMIN).call("POST", "/chat/channels/direct", {"userId": 2})["id"]
    for line in range(LINES):
        if line % 40 == 0:
            # Whoever writes faster than this is slowed down.
            max_.page.wait_for_timeout(10_000)
        api.call("POST", f"/chat/channels/{channel}/messages", {"content": f"Line {line}"})
    max_.sees("Line 79")
    max_.page.reload()
    max_.is_live()
    max_.open("Dana Admin")
    max_.sees("Line 79")
    assert len(max_.said) == 50
    place = max_.page.locator("#messages")
    while len(max_.said) < LINES:
        count = len(max_.said)
        place.evaluate("pane => pane.scrollTop = 0")
        max_.page.wait_for_function("count => document.querySelectorAll('.message').length > count", arg=count)
    assert [text for text in max_.said if text.startswith("Line ")] == [f"Line {number}" for number in range(LINES)]
    # What was being read stays where it was.
    assert place.evaluate("pane => pane.scrollTop") > 100
    ada.say("Something new")
    max_.page.locator("#latest", has_text="1 new").click()
    max_.sees("Something new")
    max_.page.locator("#latest").wait_for(state="hidden")


def test_presence_is_a_dot(direct: tuple[Window, Window]) -> None:
    ada, max_ = direct
    ada.page.get_by_text("Here now").wait_for()
    max_.page.locator("#me summary").click()
    look_at(max_.page, "chat-me", whole=False)
    max_.page.get_by_role("button", name="Sign out").click()
    max_.page.get_by_text("You are signed out.").wait_for()
    ada.page.get_by_text("Not here").wait_for()


def test_a_session_that_ended_elsewhere_leads_to_sign_in(windows: list[Window], api: Api) -> None:
    ada, _ = windows
    api.token = ada.page.evaluate("JSON.parse(sessionStorage['dev-session']).accessToken")
    api.call("POST", "/auth/logout")
    ada.page.get_by_text("Your session has ended. Please sign in again.").wait_for()


def test_a_server_that_is_killed_loses_and_doubles_nothing(direct: tuple[Window, Window], running: Running) -> None:
    ada, max_ = direct
    number = next(_numbers)
    ada.say(f"Before {number}")
    max_.sees(f"Before {number}")
    running.kill_web()
    for window in (ada, max_):
        window.page.get_by_text(re.compile(r"Trying again in \d+ s")).wait_for()
    # Both go on writing; what they write waits, and is seen to wait.
    for line in range(3):
        ada.say(f"Meanwhile {number}.{line}")
    max_.say(f"From the other side {number}")
    ada.page.locator(".message.waiting").first.wait_for()
    look_at(ada.page, "chat-waiting", whole=False)
    running.wait_until_ready()
    for window in (ada, max_):
        window.is_live()
    ada.say(f"After {number}")
    expected = {f"Before {number}", f"After {number}", f"From the other side {number}"}
    expected |= {f"Meanwhile {number}.{line}" for line in range(3)}
    for window in (ada, max_):
        for text in expected:
            window.sees(text)
        window.page.locator(".message.waiting").first.wait_for(state="detached")
    told = [[text for text in window.said if text in expected] for window in (ada, max_)]
    assert told[0] == told[1]
    assert [text for text in told[0] if text.startswith("Meanwhile")] == [
        f"Meanwhile {number}.{line}" for line in range(3)
    ]
    assert sorted(told[0]) == sorted(expected)
    look_at(max_.page, "chat-conversation", whole=False)
