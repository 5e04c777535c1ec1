"""The pages behind mailed links, sign-in and the account, as people use them in a browser."""

import itertools
import json
import re
from typing import Any

import pytest

from tests.browser.support import ADMIN, Api, App, look_at, mailed_link

pytestmark = [pytest.mark.browser, pytest.mark.no_django, pytest.mark.timeout(300)]

GOOD = "a long walk by the sea"
BETTER = "a short swim in the lake"
_numbers = itertools.count(1)


@pytest.fixture
def api(page: Any, platform: str) -> Api:
    return Api(page, platform)


@pytest.fixture
def someone(api: Api) -> dict[str, str]:
    """A person of the demo workspace who has accepted an invitation: what they sign in with."""
    email = f"person{next(_numbers)}@demo.test"
    link = api.sign_in(**ADMIN).invite(email=email, firstName="Pat", lastName="Person")
    api.call("POST", "/users/accept-invitation", {"token": link.rpartition("/")[2], "password": GOOD})
    return {"tenantSlug": "demo", "email": email, "password": GOOD}


def sign_in(page: Any, platform: str, who: dict[str, str]) -> None:
    page.goto(f"{platform}/sign-in?workspace={who['tenantSlug']}")
    page.get_by_label("E-mail address").fill(who["email"])
    page.get_by_label("Password", exact=True).fill(who["password"])
    page.get_by_role("button", name="Sign in").click()


def on_account(page: Any, email: str) -> None:
    page.wait_for_url("**/account")
    page.get_by_text(email, exact=True).wait_for()


def shown_secret(page: Any) -> str:
    page.get_by_text("Type it in by hand").click()
    return re.sub(r"\s", "", page.locator("#secret").inner_text())


def recovery_codes(page: Any) -> list[str]:
    page.get_by_role("heading", name="Your recovery codes").wait_for()
    codes: list[str] = page.locator("#codes code").all_inner_texts()
    assert len(codes) == 10
    return codes


def test_an_invited_person_chooses_a_password_and_is_in(page: Any, platform: str, api: Api) -> None:
    link = api.sign_in(**ADMIN).invite(email="invited@demo.test", firstName="Ida", lastName="Invited")
    token = link.rpartition("/")[2]
    asked: list[Any] = []
    page.on("request", lambda request: asked.append(request))
    page.goto(platform + link)
    assert token not in page.content()
    page.get_by_role("button", name="Accept the invitation").click()
    page.get_by_text("Please fill this in.").wait_for()
    for password, reason in (("short", "Use at least 8 characters."), ("password123", "among the most used")):
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("button", name="Accept the invitation").click()
        page.get_by_text(reason).wait_for()
        assert page.evaluate("document.activeElement.id") == "password"
        assert page.locator("#password").get_attribute("aria-invalid") == "true"
    look_at(page, "accept-invitation-refused")
    page.get_by_role("button", name="Show the password").click()
    assert page.locator("#password").get_attribute("type") == "text"
    page.get_by_label("Password", exact=True).fill(GOOD)
    page.get_by_label("Last name").fill("Inside")
    page.get_by_role("button", name="Accept the invitation").click()
    on_account(page, "invited@demo.test")
    page.get_by_role("heading", name="Ida Inside").wait_for()
    assert page.locator("#confirmed").is_visible()
    look_at(page, "account")
    # The address with the token goes nowhere but to us, and only in what was sent on purpose.
    assert [one.url for one in asked if token in one.headers.get("referer", "")] == []
    assert token not in page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}])")

    page.goto(platform + link)
    page.get_by_label("Password", exact=True).fill(GOOD)
    page.get_by_role("button", name="Accept the invitation").click()
    page.get_by_role("heading", name="This link does not work").wait_for()
    look_at(page, "accept-invitation-used")


def test_a_forgotten_password_is_set_anew(page: Any, platform: str, someone: dict[str, str]) -> None:
    page.goto(f"{platform}/sign-in?workspace=demo")
    page.get_by_role("link", name="Forgot your password?").click()
    page.wait_for_url("**/forgot-password?workspace=demo")
    assert page.get_by_label("Workspace").input_value() == "demo"
    page.get_by_label("E-mail address").fill("no address")
    page.get_by_role("button", name="Mail me a link").click()
    page.get_by_text("This does not look like an e-mail address.").wait_for()
    page.get_by_label("E-mail address").fill(someone["email"])
    page.get_by_role("button", name="Mail me a link").click()
    page.get_by_role("heading", name="Check your mail").wait_for()
    look_at(page, "forgot-password-sent")

    page.goto(platform + mailed_link(page, platform, someone["email"], "/reset-password/"))
    for password, reason in (("demo", "Use at least"), (GOOD, "the password you have already")):
        page.get_by_label("New password").fill(password)
        page.get_by_role("button", name="Set the password").click()
        page.get_by_text(reason).wait_for()
    page.get_by_label("New password").fill(BETTER)
    page.get_by_role("button", name="Set the password").click()
    page.wait_for_url("**/sign-in?notice=reset")
    page.get_by_text("Your new password is set.").wait_for()
    assert page.get_by_label("Workspace").input_value() == "demo"
    look_at(page, "sign-in-after-reset")

    sign_in(page, platform, someone)
    page.get_by_text("Workspace, e-mail address or password is wrong.").wait_for()
    look_at(page, "sign-in-refused")
    sign_in(page, platform, someone | {"password": BETTER})
    on_account(page, someone["email"])


def test_a_second_factor_is_set_up_used_and_taken_off(page: Any, platform: str, someone: dict[str, str]) -> None:
    sign_in(page, platform, someone)
    on_account(page, someone["email"])
    page.get_by_role("button", name="Set up").click()
    app = App(shown_secret(page))
    assert page.get_by_role("img", name="QR code").evaluate("picture => picture.naturalWidth") > 0
    assert page.locator("#otpauth").get_attribute("href").startswith("otpauth://totp/")
    page.get_by_role("textbox", name="Code").fill("12")
    page.get_by_role("button", name="Turn on").click()
    page.get_by_text("The code is wrong").wait_for()
    look_at(page, "account-set-up")
    page.get_by_role("textbox", name="Code").fill(app.code())
    page.get_by_role("button", name="Turn on").click()
    codes = recovery_codes(page)
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download").click()
    assert downloading.value.path().read_text().split() == codes
    look_at(page, "account-codes")
    page.get_by_role("button", name="I have kept them").click()
    page.get_by_text("10 recovery codes are left.").wait_for()
    assert codes[0] not in page.content()
    assert app.secret not in page.content()
    look_at(page, "account-factor-on")

    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("You are signed out.").wait_for()
    sign_in(page, platform, someone)
    page.get_by_role("textbox", name="Code").fill(app.code())
    look_at(page, "sign-in-code")
    page.get_by_role("button", name="Sign in").click()
    on_account(page, someone["email"])

    page.get_by_role("button", name="Sign out").click()
    page.get_by_text("You are signed out.").wait_for()
    sign_in(page, platform, someone)
    page.get_by_role("button", name="Use a recovery code instead").click()
    page.get_by_label("Recovery code").fill(codes[0].upper())
    look_at(page, "sign-in-recovery-code")
    page.get_by_role("button", name="Sign in").click()
    on_account(page, someone["email"])
    page.get_by_text("9 recovery codes are left.").wait_for()

    page.get_by_role("button", name="Turn off").click()
    page.get_by_role("button", name="Set up").wait_for()


def test_who_left_the_page_open_proves_first_that_it_is_still_them(
    page: Any, platform: str, someone: dict[str, str]
) -> None:
    sign_in(page, platform, someone)
    on_account(page, someone["email"])
    stale = {"success": False, "error": {"code": "reauth_required", "message": "", "details": [], "context": {}}}
    answer = {"status": 403, "content_type": "application/json", "body": json.dumps(stale)}
    page.route("**/api/v1/auth/mfa/totp", lambda route: route.fulfill(**answer), times=1)
    page.get_by_role("button", name="Set up").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Password", exact=True).fill("wrong")
    dialog.get_by_role("button", name="Go on").click()
    dialog.get_by_text("The current password is wrong.").wait_for()
    look_at(page, "account-proof", whole=False)
    dialog.get_by_label("Password", exact=True).fill(someone["password"])
    dialog.get_by_role("button", name="Go on").click()
    page.get_by_role("img", name="QR code").wait_for()
    page.get_by_role("button", name="Cancel").click()

    page.route("**/api/v1/auth/mfa/totp", lambda route: route.fulfill(**answer), times=1)
    page.get_by_role("button", name="Set up").click()
    dialog.wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Set up").wait_for()
    assert page.locator(".alert:visible").count() == 0


def test_the_account_changes_its_password_and_renews_its_token(
    page: Any, platform: str, someone: dict[str, str]
) -> None:
    sign_in(page, platform, someone)
    on_account(page, someone["email"])
    page.get_by_label("Current password").fill("wrong")
    page.get_by_label("New password").fill(BETTER)
    page.get_by_role("button", name="Change password").click()
    page.get_by_text("The current password is wrong.").wait_for()
    page.get_by_label("Current password").fill(GOOD)
    page.get_by_role("button", name="Change password").click()
    page.get_by_text("Your password is changed.").wait_for()
    look_at(page, "account-password-changed")

    before = page.evaluate("JSON.parse(sessionStorage.session)")
    page.evaluate("sessionStorage.session = JSON.stringify({...JSON.parse(sessionStorage.session), expiresAt: 0})")
    page.reload()
    on_account(page, someone["email"])
    after = page.evaluate("JSON.parse(sessionStorage.session)")
    assert after["refreshToken"] != before["refreshToken"]
    assert after["workspace"] == "demo"

    page.evaluate("sessionStorage.session = JSON.stringify({...JSON.parse(sessionStorage.session), accessToken: 'no'})")
    page.reload()
    page.get_by_text("Your session has ended. Please sign in again.").wait_for()
    assert page.get_by_label("Workspace").input_value() == "demo"
    assert page.evaluate("sessionStorage.session") is None


def test_nobody_has_no_account(page: Any, platform: str) -> None:
    page.goto(f"{platform}/account")
    page.wait_for_url("**/sign-in")


def test_a_workspace_that_asks_for_a_second_factor_leads_through_its_set_up(page: Any, platform: str, api: Api) -> None:
    registered = api.call(
        "POST",
        "/tenants/register",
        {"companyName": "Careful Corp", "slug": "careful", "adminEmail": "c@careful.test", "adminPassword": GOOD},
    )
    api.token = registered["accessToken"]
    app = App(api.call("POST", "/auth/mfa/totp")["secret"])
    api.call("POST", "/auth/mfa/totp/confirm", {"code": app.code()})
    api.call("PUT", "/org-settings/security.mfa_required", {"value": True})

    page.goto(platform + api.invite(email="new@careful.test"))
    page.get_by_label("Password", exact=True).fill(GOOD)
    page.get_by_role("button", name="Accept the invitation").click()
    page.get_by_role("heading", name="Set up a second factor").wait_for()
    look_at(page, "enrolment")
    # Somebody who stops here has a password already and goes on by signing in.
    sign_in(page, platform, {"tenantSlug": "careful", "email": "new@careful.test", "password": GOOD})
    page.get_by_role("heading", name="Set up a second factor").wait_for()
    theirs = App(shown_secret(page))
    page.get_by_role("textbox", name="Code").fill(theirs.code())
    page.get_by_role("button", name="Turn on").click()
    recovery_codes(page)
    look_at(page, "enrolment-codes")
    page.get_by_role("button", name="I have kept them").click()
    on_account(page, "new@careful.test")
    page.get_by_text("so it stays on").wait_for()
    assert page.get_by_role("button", name="Turn off").count() == 0
    look_at(page, "account-factor-required")


def test_an_address_that_is_not_confirmed_can_be_from_the_account(page: Any, platform: str, api: Api) -> None:
    who = {"tenantSlug": "fresh", "email": "f@fresh.test", "password": GOOD}
    company = {"companyName": "Fresh Corp", "slug": "fresh", "adminEmail": who["email"], "adminPassword": GOOD}
    api.call("POST", "/tenants/register", company)
    first = mailed_link(page, platform, who["email"], "/verify-email/")
    sign_in(page, platform, who)
    on_account(page, who["email"])
    page.get_by_text("not confirmed").wait_for()
    look_at(page, "account-unconfirmed")
    page.get_by_role("button", name="Mail the confirmation again").click()
    page.get_by_text("The mail is on its way.").wait_for()
    while (second := mailed_link(page, platform, who["email"], "/verify-email/")) == first:
        page.wait_for_timeout(250)
    page.goto(platform + second)
    page.get_by_role("button", name="Confirm my address").click()
    page.get_by_text("Thank you, that worked").wait_for()
    page.goto(f"{platform}/account")
    page.locator("#confirmed").wait_for()
    assert page.get_by_role("button", name="Mail the confirmation again").count() == 0


def test_recovery_codes_are_made_anew(page: Any, platform: str, api: Api, someone: dict[str, str]) -> None:
    api.sign_in(**someone)
    app = App(api.call("POST", "/auth/mfa/totp")["secret"])
    before = api.call("POST", "/auth/mfa/totp/confirm", {"code": app.code()})["recoveryCodes"]
    sign_in(page, platform, someone)
    page.get_by_role("textbox", name="Code").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("The code is wrong").wait_for()
    page.get_by_role("textbox", name="Code").fill(app.code())
    page.get_by_role("button", name="Sign in").click()
    on_account(page, someone["email"])
    page.get_by_role("button", name="Make new recovery codes").click()
    assert not set(recovery_codes(page)) & set(before)


def test_workspaces_are_mailed_with_links_that_know_them(page: Any, platform: str) -> None:
    page.goto(f"{platform}/sign-in")
    page.get_by_role("link", name="Find my workspaces").click()
    page.get_by_label("E-mail address").fill("admin@demo.test")
    page.get_by_role("button", name="Mail me the list").click()
    page.get_by_role("heading", name="Check your mail").wait_for()
    look_at(page, "find-workspaces-sent")
    page.goto(platform + mailed_link(page, platform, "admin@demo.test", "/sign-in"))
    assert page.get_by_label("Workspace").input_value() == "demo"


def test_what_cannot_be_reached_says_so_and_can_be_tried_again(page: Any, platform: str) -> None:
    page.route("**/api/v1/auth/login", lambda route: route.abort(), times=1)
    sign_in(page, platform, ADMIN)
    page.get_by_text("We could not be reached.").wait_for()
    assert page.evaluate("document.activeElement.className") == "alert"
    page.get_by_role("button", name="Sign in").click()
    on_account(page, "admin@demo.test")


def test_while_a_request_is_under_way_nothing_can_be_pressed_twice(page: Any, platform: str) -> None:
    waiting: list[Any] = []
    page.route("**/api/v1/auth/login", lambda route: waiting.append(route), times=1)
    sign_in(page, platform, ADMIN)
    button = page.get_by_role("button", name="One moment…")
    button.wait_for()
    assert button.is_disabled()
    page.get_by_label("Password", exact=True).press("Enter")
    assert len(waiting) == 1
    waiting[0].continue_()
    on_account(page, "admin@demo.test")
