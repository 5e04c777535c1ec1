"""A customer is on the phone: "Ada gets none of our mails". From the search to the mail that arrives."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.support import Api, Running, look_at, opened
from tests.smtp_server import SmtpServer, smtp_server

pytestmark = [pytest.mark.browser, pytest.mark.no_django, pytest.mark.timeout(600)]

PASSWORD = "a long walk by the sea"
STAFF, STAFF_PASSWORD = "staff@platform.test", "demo-staff-pass"
TICKET = "Ticket 4711: no mail since Monday"


@pytest.fixture
def page(browser: Any, running: Running) -> Iterator[Any]:
    with opened(browser, running.url) as page:
        yield page


@pytest.fixture(scope="module")
def mail_server() -> Iterator[SmtpServer]:
    with smtp_server() as server:
        yield server


def wait_for(what: Any) -> Any:
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.25)
    return pytest.fail("it did not come about")


def act(page: Any, button: str, reason: str, *, shot: str = "") -> None:
    """An action of a detail page: its dialog asks why. ``shot`` names a picture of that."""
    page.get_by_role("link", name=re.compile(button)).or_(
        page.get_by_role("button", name=re.compile(button))
    ).first.click()
    dialog = page.locator("textarea[name=reason]")
    dialog.wait_for()
    dialog.fill(reason)
    if shot:
        look_at(page, shot, whole=False)
    page.get_by_role("button", name=button, exact=True).last.click()


def test_why_a_mail_did_not_come_and_that_it_does(page: Any, running: Running, mail_server: SmtpServer) -> None:
    platform, api = running.url, Api(page, running.url)
    who = api.register("vandelay", PASSWORD)
    server = {"host": "127.0.0.1", "port": mail_server.port, "security": "none", "fromEmail": "crm@vandelay.test"}
    api.call("PUT", "/settings/email/smtp", server)
    assert api.call("POST", "/settings/email/smtp/test")["ok"] is True
    mail_server.refused[who["email"]] = "550 5.1.1 No such user"
    lead = {"leadName": "Northwind", "assignedBy": "George", "leadId": 7}
    body = {"eventKey": "sales.lead_assigned", "userIds": [1], "data": lead}
    api.call("POST", "/notifications/send", body)
    before = len(mail_server.to(who["email"]))
    wait_for(lambda: api.call("GET", "/settings/email/suppressions"))
    # Their administrator has made the mailbox anew; the platform cannot know that.
    del mail_server.refused[who["email"]]

    page.goto(f"{platform}/admin/")
    page.get_by_label(re.compile("Email|Username")).fill(STAFF)
    page.get_by_label("Password").fill(STAFF_PASSWORD)
    page.get_by_role("button", name=re.compile("Log in|Sign in")).click()
    page.get_by_text("Sign-ups per day").first.wait_for()
    look_at(page, "support-home")
    page.locator("#find-term").first.fill(who["email"])
    page.locator("#find-term").first.press("Enter")
    page.get_by_role("link", name=re.compile("Vandelay")).first.wait_for()
    look_at(page, "support-found")
    page.get_by_role("link", name=re.compile("Vandelay")).first.click()
    page.wait_for_url("**/admin/tenancy/tenant/*/change/")
    look_at(page, "support-tenant")
    page.get_by_role("link", name="Extend grace").click()
    page.get_by_label("Reason").wait_for()
    page.get_by_role("button", name="Extend grace").click()
    page.get_by_text("Give a reason.").wait_for()
    look_at(page, "support-reason")

    page.goto(f"{platform}/admin/t/vandelay/notifications/delivery/?q={who['email']}")
    page.get_by_text("address_refused").first.wait_for()
    look_at(page, "support-deliveries")
    page.get_by_role("row").filter(has_text="address_refused").get_by_role("link").first.click()
    page.get_by_text("The address is suppressed").wait_for()
    page.get_by_text("refused by the mail server").first.wait_for()
    mail = page.url
    look_at(page, "support-why")

    # Nothing can be changed before one has said why.
    page.get_by_role("link", name="Start a session to change something").click()
    page.locator("textarea[name=reason]").fill(TICKET)
    look_at(page, "support-session")
    page.get_by_role("button", name="Start the session").click()
    page.wait_for_url(mail)

    page.get_by_role("link", name="Hard bounce").first.click()
    page.wait_for_url("**/notifications/suppression/*/change/")
    act(page, "Lift", f"{TICKET}; the mailbox is there again", shot="support-dialog")
    page.get_by_text("The address gets mail again.").wait_for()
    page.goto(mail)
    act(page, "Send again", TICKET)
    page.get_by_text("The mail goes out again.").wait_for()
    arrived = wait_for(lambda: mail_server.to(who["email"])[before:])
    assert "Northwind" in arrived[0].message["Subject"]
    wait_for(lambda: page.goto(mail) and "Sent" in page.locator("#content-main, main").first.inner_text())
    look_at(page, "support-sent")

    page.goto(f"{platform}/admin/t/vandelay/accounts/user/1/change/")
    look_at(page, "support-person")
    page.goto(f"{platform}/admin/t/vandelay/accounts/user/1/impersonate/")
    page.get_by_role("button", name="Make a link").click()
    page.get_by_text("It is shown this once.").wait_for()
    look_at(page, "support-impersonate")

    # The customer reads what was done, and why.
    keys = [one["key"] for one in api.call("GET", "/audit?limit=50")]
    assert {"staff.session_opened", "staff.acted"} <= set(keys)
    told = api.call("GET", "/audit?key=staff.acted")
    assert {one["data"]["action"] for one in told} >= {"suppression.lifted", "delivery.sent_again"}
    assert all(TICKET in one["data"]["reason"] for one in told if one["data"]["action"] != "list.exported")

    page.goto(f"{platform}/admin/staff/staffact/?q=vandelay")
    page.get_by_text("suppression.lifted").first.wait_for()
    look_at(page, "support-audit")
