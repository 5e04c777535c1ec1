"""A company pays, changes its card, falls behind, pays again and leaves, in the browser and with a Stripe beside it.

The webhooks are real: what happened at Stripe is seen here without asking for it.
"""

import itertools
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.support import Api, Running, fill_card, look_at, opened, sign_in_here, started

# In the order in which they stand: the last one moves the clock of the Stripe that all share.
pytestmark = [pytest.mark.browser, pytest.mark.no_django, pytest.mark.timeout(600)]

PASSWORD = "a long walk by the sea"
PAYS, DECLINES_LATER, DECLINES = "4242 4242 4242 4242", "4000 0000 0000 0341", "4000 0000 0000 0002"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One of its own: a clock that was moved is moved for everybody."""
    with started(tmp_path_factory.mktemp("home"), RATE_LIMITS="off") as running:
        yield running


@pytest.fixture(scope="module")
def platform(running: Running) -> str:
    return running.url


@pytest.fixture
def page(browser: Any, running: Running) -> Iterator[Any]:
    with opened(browser, running.url, running.stripe) as page:
        yield page


@pytest.fixture
def api(page: Any, platform: str) -> Api:
    return Api(page, platform)


@pytest.fixture
def admin(page: Any, platform: str, api: Api) -> dict[str, str]:
    """Of a company in its trial, who is on the billing page."""
    who = api.register(f"shop-{next(_numbers)}", PASSWORD)
    page.goto(f"{platform}/dev/billing")
    sign_in_here(page, who)
    page.get_by_role("button", name="Subscribe to Pro").wait_for()
    return who


def state(page: Any) -> str:
    page.locator("#status .state").wait_for()
    text: str = page.locator("#status .state").inner_text()
    return text


def fact(page: Any, name: str) -> str:
    text: str = page.locator("#status dt", has_text=re.compile(f"^{name}$")).locator("+ dd").inner_text()
    return text


def buttons(page: Any) -> list[str]:
    texts: list[str] = page.locator("#acts button").all_inner_texts()
    return texts


def press(page: Any, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def is_back(page: Any, platform: str) -> None:
    page.wait_for_url(f"{platform}/dev/billing")
    page.locator("#status .state").wait_for()


def subscribe(page: Any, running: Running, *, seats: int = 3) -> None:
    """To Pro, up to the page on which the card is given."""
    page.get_by_label("Seats of Pro").fill(str(seats))
    press(page, "Subscribe to Pro")
    page.wait_for_url(f"{running.stripe}/c/pay/*")


def pay(page: Any, platform: str, card: str = PAYS) -> None:
    fill_card(page, card)
    press(page, "Start trial")
    page.get_by_text("Thank you. Pro is yours.").wait_for()
    is_back(page, platform)


def seen_in_time(page: Any, words: str) -> None:
    """Loading again and again, without asking Stripe, until the webhook has brought it."""
    for _ in range(60):
        page.reload()
        if words in state(page):
            return
        page.wait_for_timeout(500)
    pytest.fail(f"no webhook brought {words!r}, it says {state(page)!r}")


def test_whoever_comes_to_billing_is_led_to_the_page_with_all_that_stands_in_the_address(
    page: Any, platform: str
) -> None:
    page.goto(f"{platform}/billing?session_id=cs_test_1")
    page.wait_for_url(f"{platform}/dev/billing?session_id=cs_test_1")
    page.get_by_role("heading", name="Billing").wait_for()
    look_at(page, "billing-sign-in")


def test_a_trial_is_shown_and_can_be_ended(page: Any, admin: dict[str, str]) -> None:
    assert state(page).split("\n") == ["Pro", "Trial"]
    assert fact(page, "Trial").startswith("14 days left")
    assert fact(page, "Access") == "Everything works."
    assert buttons(page) == ["Refresh from Stripe", "End the trial…"]
    assert page.locator("#invoices").is_hidden()
    press(page, "Yearly")
    page.get_by_text("$120.00").wait_for()
    look_at(page, "billing-trial")
    page.get_by_label("Seats of Pro").fill("0")
    press(page, "Subscribe to Pro")
    page.get_by_text("From 1 to 500 seats.").wait_for()
    press(page, "End the trial…")
    page.get_by_text("It ends now.").wait_for()
    press(page, "End the trial")
    page.get_by_text("It has ended.").wait_for()
    assert fact(page, "Access").startswith("Read only")
    assert buttons(page) == ["Refresh from Stripe"]
    look_at(page, "billing-trial-over")


def test_whoever_may_not_buy_sees_how_it_stands_and_nothing_to_press(
    browser: Any, page: Any, platform: str, api: Api, admin: dict[str, str]
) -> None:
    email = f"member@{admin['tenantSlug']}.test"
    link = api.invite(email=email, firstName="Max", lastName="Member")
    api.call("POST", "/users/accept-invitation", {"token": link.rpartition("/")[2], "password": PASSWORD})
    with opened(browser, platform) as member:
        member.goto(f"{platform}/dev/billing")
        sign_in_here(member, {**admin, "email": email})
        member.get_by_text("Only those who may buy can change any of this.").wait_for()
        assert state(member).split("\n") == ["Pro", "Trial"]
        assert (buttons(member), member.locator("#plans").is_hidden()) == ([], True)
        look_at(member, "billing-member")


def test_what_goes_wrong_is_said_in_words(page: Any, running: Running, admin: dict[str, str]) -> None:
    running.steer_stripe("POST", "/faults", {"path": "POST /v1/checkout/sessions", "times": 20, "status": 500})
    press(page, "Subscribe to Pro")
    page.get_by_text("The payment provider did not answer. Try again.").wait_for(timeout=60_000)
    assert page.evaluate("document.activeElement.className") == "alert"
    look_at(page, "billing-provider-error")
    running.steer_stripe("DELETE", "/faults")
    subscribe(page, running)


@pytest.mark.parametrize(
    ("name", "changes", "says", "offers"),
    [
        ("off", {"configured": False, "plan": None}, "Billing is not set up here", []),
        ("free", {"status": "comped"}, "Nothing has to be paid.", ["Refresh from Stripe"]),
        (
            "paused",
            {
                "status": "paused",
                "stripeStatus": "paused",
                "access": "read_only",
                "accessReason": "subscription_required",
            },
            "The trial ended without a card.",
            ["Manage card and invoices", "Refresh from Stripe", "Cancel…"],
        ),
        (
            "unpaid",
            {"status": "unpaid", "stripeStatus": "unpaid", "access": "blocked", "accessReason": "payment_past_due"},
            "The card is not tried any more.",
            ["Manage card and invoices", "Refresh from Stripe", "Cancel…"],
        ),
        (
            "incomplete",
            {"status": "incomplete", "stripeStatus": "incomplete", "duplicate": True},
            "The first payment did not come in yet.",
            ["Manage card and invoices", "Refresh from Stripe", "Cancel…"],
        ),
    ],
)
def test_every_other_state_has_words_and_what_can_be_done(
    page: Any, admin: dict[str, str], name: str, changes: dict[str, Any], says: str, offers: list[str]
) -> None:
    def answer(route: Any) -> None:
        shown = route.fetch().json()
        shown["data"].update(changes)
        route.fulfill(json=shown)

    page.route("**/api/v1/billing/status", answer)
    page.reload()
    page.get_by_text(says).wait_for()
    assert buttons(page) == offers
    assert page.locator("#plans").is_visible() is (name in ("unpaid", "incomplete"))
    if changes.get("duplicate"):
        assert "second subscription" in fact(page, "Attention")
    if changes.get("access") == "blocked":
        assert fact(page, "Access").startswith("Closed")
    look_at(page, f"billing-{name}")


def test_a_session_that_ended_leads_to_sign_in(page: Any, api: Api, admin: dict[str, str]) -> None:
    api.token = page.evaluate("JSON.parse(sessionStorage['dev-session']).accessToken")
    api.call("POST", "/auth/logout")
    press(page, "Refresh from Stripe")
    page.get_by_text("Your session has ended. Please sign in again.").wait_for()
    sign_in_here(page, admin)
    press(page, "Refresh from Stripe")
    page.get_by_text("This is how it stands with Stripe.").wait_for()


def test_a_whole_life_of_a_subscription(page: Any, running: Running, platform: str, admin: dict[str, str]) -> None:
    subscribe(page, running)
    look_at(page, "stripe-checkout")
    page.get_by_role("link", name="Back").click()
    is_back(page, platform)
    assert fact(page, "Seats") == "1 used, as many as you like"
    assert state(page).split("\n") == ["Pro", "Trial"]

    subscribe(page, running)
    fill_card(page, DECLINES)
    press(page, "Start trial")
    page.get_by_role("alert").get_by_text("declined").wait_for()
    look_at(page, "stripe-checkout-declined")
    pay(page, platform)
    assert state(page).split("\n") == ["Pro, monthly, $12.00 a seat", "Trial"]
    assert fact(page, "Seats") == "1 of 3 used; 2 free"
    assert fact(page, "Card") == "•••• 4242"
    assert page.locator(".offer.present h3").inner_text().startswith("Pro")
    look_at(page, "billing-subscribed")

    # The card
    press(page, "Manage card and invoices")
    page.wait_for_url(f"{running.stripe}/p/session/*")
    look_at(page, "stripe-portal")
    page.get_by_text("Change card").click()
    fill_card(page, DECLINES_LATER)
    look_at(page, "stripe-portal-card")
    press(page, "Use this card")
    page.get_by_text("The new card is used from now on.").wait_for()
    page.get_by_role("link", name="← Back").click()
    is_back(page, platform)
    seen_in_time(page, "Pro")
    press(page, "Refresh from Stripe")
    page.get_by_text("This is how it stands with Stripe.").wait_for()
    assert fact(page, "Card") == "•••• 0341"

    # Leaving, and staying after all
    press(page, "Cancel…")
    page.get_by_label("Why?").select_option("too_expensive")
    page.get_by_label("In your words").fill("We are too few.")
    look_at(page, "billing-cancel", whole=False)
    press(page, "Keep it")
    press(page, "Cancel…")
    assert page.get_by_label("In your words").input_value() == ""
    press(page, "Cancel the subscription")
    page.get_by_text(re.compile("^It ends on")).wait_for()
    assert "Trial, until" in state(page)
    assert buttons(page) == ["Resume", "Manage card and invoices", "Refresh from Stripe", "Cancel now…"]
    look_at(page, "billing-cancelling")
    press(page, "Resume")
    page.get_by_text("The cancellation is taken back.").wait_for()
    assert "until" not in state(page)

    # Other seats, with what they cost before
    page.get_by_label("Seats of Pro").fill("4")
    press(page, "Change seats")
    page.get_by_role("heading", name="Change Pro?").wait_for()
    assert page.locator("#preview dd").all_inner_texts() == ["Pro, monthly, 4 seats", "now", "nothing"]
    look_at(page, "billing-change", whole=False)
    page.locator("#change-form").get_by_role("button", name="Change", exact=True).click()
    page.get_by_text("It is changed.").wait_for()
    assert fact(page, "Seats") == "1 of 4 used; 3 free"

    # The trial ends, and the card is declined
    stripe = page.context.new_page()
    stripe.goto(running.stripe)
    stripe.get_by_role("button", name=re.compile("^To the end of the trial")).click()
    stripe.get_by_text("past due").first.wait_for()
    look_at(stripe, "stripe-overview")
    seen_in_time(page, "Payment is overdue")
    assert fact(page, "Access") == "Everything works."
    assert "tried again" in page.locator("#status .next").inner_text()
    look_at(page, "billing-past-due")
    with page.context.expect_page() as popup:
        page.get_by_role("link", name="See and pay it").click()
    invoice = popup.value
    invoice.get_by_role("heading", name=re.compile("^Invoice")).wait_for()
    look_at(invoice, "stripe-invoice-open")
    fill_card(invoice, DECLINES)
    invoice.get_by_role("button", name=re.compile("^Pay")).click()
    invoice.get_by_role("alert").wait_for()
    fill_card(invoice, PAYS)
    invoice.get_by_role("button", name=re.compile("^Pay")).click()
    invoice.get_by_text("paid", exact=True).wait_for()
    look_at(invoice, "stripe-invoice-paid")
    seen_in_time(page, "Paid")
    assert page.locator("#status dt", has_text="Overdue").count() == 0
    page.locator("#invoice-list li").first.wait_for()
    assert "paid" in page.locator("#invoice-list li").first.inner_text()
    look_at(page, "billing-paid")

    # What costs less begins with the next period, what costs more at once.
    press(page, "Change to Starter")
    page.get_by_role("heading", name="Change to Starter?").wait_for()
    press(page, "Not now")
    page.get_by_label("Seats of Pro").fill("6")
    press(page, "Change seats")
    page.get_by_role("heading", name="Change Pro?").wait_for()
    assert page.locator("#preview dd").last.inner_text() == "$24.00"
    press(page, "Not now")
    page.get_by_label("Seats of Pro").fill("2")
    press(page, "Change seats")
    page.locator("#change-form").get_by_role("button", name="Change", exact=True).click()
    page.get_by_text(re.compile("^It changes on")).wait_for()
    assert fact(page, "Will change to").startswith("Pro, monthly, 2 seats, from")
    look_at(page, "billing-pending")

    # The end
    press(page, "Cancel…")
    page.get_by_label("Now", exact=False).check()
    press(page, "Cancel the subscription")
    page.get_by_text("It has ended.").wait_for()
    assert state(page).split("\n")[1] == "Cancelled"
    assert fact(page, "Access").startswith("Read only")
    assert buttons(page) == ["Manage card and invoices", "Refresh from Stripe"]
    page.get_by_role("button", name="Subscribe to Pro").wait_for()
    look_at(page, "billing-cancelled")
    press(page, "Manage card and invoices")
    page.get_by_role("heading", name="No subscription").wait_for()
    look_at(page, "stripe-portal-empty")
