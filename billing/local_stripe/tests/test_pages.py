"""The checkout page and the overview, as a browser sees them."""

from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from billing.local_stripe.server import LocalStripe
from billing.local_stripe.tests.shop import DAY, NOW, Shop
from billing.local_stripe.tests.test_portal import CARD, get, post

pytestmark = pytest.mark.no_django


def test_the_checkout_page_shows_what_it_costs_and_subscribes(shop: Shop) -> None:
    session = shop.checkout(success_url=f"{shop.server.url}/?session={{CHECKOUT_SESSION_ID}}")
    url = str(session.url)
    text = get(url)
    assert "10.00 EUR / month" in text
    assert "<b>20.00 EUR</b>" in text
    assert 'href="http://platform.test/back"' in text
    status, after, _ = post(url, **CARD)
    assert (status, after) == (200, f"{shop.server.url}/?session={session.id}")
    assert shop.client.v1.checkout.sessions.retrieve(session.id).status == "complete"
    assert "This checkout is complete." in get(url)


def test_the_page_of_a_trial_says_when_it_costs_what(shop: Shop) -> None:
    session = shop.checkout(subscription_data={"trial_end": NOW + 14 * DAY}, payment_method_collection="if_required")
    text = get(str(session.url))
    assert "Start your trial" in text
    assert "05 Oct 2026" in text
    assert "20.00 EUR / month" in text
    assert "A card is not needed" in text


def test_what_is_wrong_with_a_card_is_said_and_what_was_filled_in_stays(shop: Shop) -> None:
    url = str(shop.checkout().url)
    for change, words in (
        ({"number": "4000 0000 0000 0002"}, "Your card was declined."),
        ({"number": "1234"}, "not one of the numbers for tests"),
        ({"expiry": "01 / 20"}, "expiration year is invalid"),
        ({"expiry": "soon"}, "expiration date is incomplete"),
        ({"cvc": ""}, "security code is incomplete"),
    ):
        form = {**CARD, **change}
        status, _, text = post(url, **form)
        assert status == 402
        assert words in text.replace("&#x27;", "'")
        assert f'value="{form["number"]}"' in text


def test_the_bank_is_asked_on_a_page_between(shop: Shop) -> None:
    session = shop.checkout(success_url=f"{shop.server.url}/")
    form = {**CARD, "number": "4000 0025 0000 3155"}
    _, _, text = post(str(session.url), **form)
    assert "Your bank asks" in text
    assert shop.client.v1.checkout.sessions.retrieve(session.id).status == "open"
    post(str(session.url), **form, confirmed="yes")
    assert shop.client.v1.checkout.sessions.retrieve(session.id).status == "complete"


def test_an_adjusted_quantity_is_bought(shop: Shop) -> None:
    adjustable = {"enabled": True, "minimum": 1, "maximum": 10}
    session = shop.checkout(
        line_items=[{"price": shop.monthly, "quantity": 2, "adjustable_quantity": adjustable}],
        success_url=f"{shop.server.url}/",
    )
    item = shop.client.v1.checkout.sessions.line_items.list(session.id).data[0]
    post(str(session.url), **CARD, **{f"quantity-{item.id}": "6"})
    assert shop.client.v1.checkout.sessions.retrieve(session.id).amount_total == 6_000


def test_text_of_others_is_shown_as_text(shop: Shop) -> None:
    shop.client.v1.customers.update(shop.customer, {"name": "<script>alert(1)</script>"})
    text = get(f"{shop.server.url}/")
    assert "&lt;script&gt;" in text
    assert "<script>" not in text


def test_the_overview_moves_the_clock_and_shows_everybody(shop: Shop) -> None:
    subscription = shop.subscribe(trial_days=14)
    home = f"{shop.server.url}/"
    assert "trial till 05 Oct 2026" in get(home)
    post(f"{home}clock", move="day")
    assert shop.server.now() == NOW + DAY
    post(f"{home}clock", move="amount", amount="2", unit="hours")
    assert shop.server.now() == NOW + DAY + 7_200
    post(f"{home}clock", move="trial")
    assert shop.subscription(subscription.id).status == "active"
    assert post(f"{home}clock", move="trial")[0] == 400
    post(f"{home}clock", move="month")
    assert shop.server.now() == NOW + (14 + 31) * DAY
    assert "customer.subscription.updated" in get(home)


def test_the_overview_opens_the_portal(shop: Shop) -> None:
    _, url, text = post(f"{shop.server.url}/customers/{shop.customer}/portal")
    assert "/p/session/test_" in url
    assert "No subscription" in text


def test_failures_are_switched_on_and_off(shop: Shop) -> None:
    home = f"{shop.server.url}/"
    post(f"{home}faults", status="503", times="2", path="GET /v1/prices", timing="before", delay="0")
    assert "GET /v1/prices" in get(home)
    assert [fault["status"] for fault in shop.server.faults.shown()] == [503]
    assert post(f"{home}faults", status="200", times="1")[0] == 400
    post(f"{home}faults/clear")
    assert shop.server.faults.shown() == []


def test_pages_that_are_not_there(server: LocalStripe) -> None:
    for path in ("/nothing", "/c/pay/cs_test_a1nobody", "/i/in_1nobody", "/p/session/test_nobody"):
        with pytest.raises(HTTPError, match="404") as caught:
            get(f"{server.url}{path}")
        caught.value.close()


def test_other_names_of_the_host_are_refused(server: LocalStripe) -> None:
    request = Request(f"{server.url}/", headers={"Host": "stripe.evil.test"})  # noqa: S310
    with pytest.raises(HTTPError, match="421") as caught:
        urlopen(request, timeout=10)  # noqa: S310
    caught.value.close()


def test_pages_run_no_scripts_and_load_nothing_from_elsewhere(server: LocalStripe) -> None:
    with urlopen(f"{server.url}/", timeout=10) as response:  # noqa: S310
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
        assert "<script" not in response.read().decode()
    assert "--accent" in get(f"{server.url}/style.css")
