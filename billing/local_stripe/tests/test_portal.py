"""Sessions and configurations of the portal, and its page."""

import re
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

import pytest
import stripe

from billing.local_stripe.tests.shop import Shop

pytestmark = pytest.mark.no_django


def post(url: str, *, origin: str | None = None, **form: str) -> tuple[int, str, str]:
    """Send a form as a browser does; answers status, the address after redirects, and the page."""
    parts = urlsplit(url)
    headers = {"Origin": origin or f"{parts.scheme}://{parts.netloc}"}
    request = Request(url, data=urlencode(form).encode(), headers=headers)  # noqa: S310  our own server
    try:
        with urlopen(request, timeout=10) as response:  # noqa: S310
            return response.status, response.url, response.read().decode()
    except HTTPError as error:
        with error:
            return error.code, url, error.read().decode()


def get(url: str) -> str:
    with urlopen(url, timeout=10) as response:  # noqa: S310
        text: str = response.read().decode()
        return re.sub(r"\s+", " ", text)


CARD = {"number": "4242 4242 4242 4242", "expiry": "12 / 34", "cvc": "123"}


def portal(shop: Shop) -> str:
    session = shop.client.v1.billing_portal.sessions.create(
        {"customer": shop.customer, "return_url": "http://platform.test/back"}
    )
    assert session.url.startswith(f"{shop.server.url}/p/session/test_")
    assert session.id not in session.url
    return session.url


def test_the_page_shows_the_subscription_and_the_way_back(shop: Shop) -> None:
    shop.subscribe()
    text = get(portal(shop))
    assert "Pro" in text
    assert "20.00 EUR / month (2)" in text
    assert "•••• 4242" in text
    assert 'href="http://platform.test/back"' in text


def test_a_card_is_changed_and_pays_what_is_open(shop: Shop) -> None:
    subscription = shop.subscribe("4000000000000341", trial_days=14)
    shop.server.advance(days=14)
    url = portal(shop)
    status, _, text = post(f"{url}/card", **{**CARD, "number": "4000 0000 0000 0002"})
    assert (status, "Your card was declined." in text) == (402, True)
    assert post(f"{url}/card", **CARD)[0] == 200
    invoice = shop.latest_invoice(subscription.id)
    page = str(invoice.hosted_invoice_url)
    assert "Pay 20.00 EUR" in get(page)
    post(page)
    assert shop.subscription(subscription.id).status == "active"
    assert "paid" in get(page)


def test_it_is_cancelled_and_resumed(shop: Shop) -> None:
    subscription = shop.subscribe()
    url = portal(shop)
    status, after, text = post(f"{url}/cancel", subscription=subscription.id, feedback="unused")
    assert (status, after) == (200, f"{url}?done=cancel")
    assert "ends with its period" in text
    cancelled = shop.subscription(subscription.id)
    assert cancelled.cancel_at_period_end is True
    assert cancelled.cancellation_details is not None
    assert cancelled.cancellation_details.feedback == "unused"
    post(f"{url}/resume", subscription=subscription.id)
    assert shop.subscription(subscription.id).cancel_at_period_end is False


def test_plan_and_quantity_are_changed(shop: Shop) -> None:
    subscription = shop.subscribe()
    assert post(f"{portal(shop)}/plan", subscription=subscription.id, price=shop.team, quantity="5")[0] == 200
    item = shop.subscription(subscription.id).items.data[0]
    assert (item.price.id, item.quantity) == (shop.team, 5)


def test_a_subscription_of_somebody_else_is_out_of_reach(shop: Shop) -> None:
    subscription = shop.subscribe()
    url = portal(shop)
    stranger = shop.client.v1.customers.create({"name": "Stranger"})
    theirs = shop.client.v1.billing_portal.sessions.create({"customer": stranger.id})
    assert post(f"{theirs.url}/cancel", subscription=subscription.id)[0] == 403
    assert shop.subscription(subscription.id).cancel_at_period_end is False
    assert post(f"{url}/cancel", subscription=subscription.id)[0] == 200


def test_forms_of_pages_elsewhere_are_refused(shop: Shop) -> None:
    subscription = shop.subscribe()
    for origin in ("http://evil.test", "null"):
        assert post(f"{portal(shop)}/cancel", origin=origin, subscription=subscription.id)[0] == 403
    assert shop.subscription(subscription.id).cancel_at_period_end is False


def test_only_what_the_configuration_offers_can_be_done(shop: Shop) -> None:
    subscription = shop.subscribe()
    configuration = shop.client.v1.billing_portal.configurations.create(
        {"features": {"invoice_history": {"enabled": True}}}
    )
    session = shop.client.v1.billing_portal.sessions.create(
        {"customer": shop.customer, "configuration": configuration.id}
    )
    assert "Change card" not in get(session.url)
    for what in ("card", "plan", "cancel"):
        assert post(f"{session.url}/{what}", subscription=subscription.id, quantity="1", **CARD)[0] == 403
    listed = shop.client.v1.billing_portal.configurations.list()
    assert [each.is_default for each in listed.data] == [False, True]
    changed = shop.client.v1.billing_portal.configurations.update(
        configuration.id, {"features": {"subscription_cancel": {"enabled": True, "mode": "immediately"}}}
    )
    assert changed.features.subscription_cancel.mode == "immediately"
    assert post(f"{session.url}/cancel", subscription=subscription.id)[0] == 200
    assert shop.subscription(subscription.id).status == "canceled"
    assert shop.client.v1.billing_portal.configurations.retrieve(configuration.id).is_default is False


def test_a_flow_is_opened_and_leads_back(shop: Shop) -> None:
    subscription = shop.subscribe()
    session = shop.client.v1.billing_portal.sessions.create(
        {
            "customer": shop.customer,
            "flow_data": {
                "type": "subscription_cancel",
                "subscription_cancel": {"subscription": subscription.id},
                "after_completion": {
                    "type": "redirect",
                    "redirect": {"return_url": f"{shop.server.url}/#done"},
                },
            },
        }
    )
    assert session.flow is not None
    assert session.flow.type == "subscription_cancel"
    assert "<details open> <summary>Cancel</summary>" in get(session.url)
    assert post(f"{session.url}/cancel", subscription=subscription.id)[1].startswith(f"{shop.server.url}/")
    with pytest.raises(stripe.InvalidRequestError, match="already set to be canceled"):
        shop.client.v1.billing_portal.sessions.create(
            {
                "customer": shop.customer,
                "flow_data": {
                    "type": "subscription_cancel",
                    "subscription_cancel": {"subscription": subscription.id},
                },
            }
        )


def test_a_flow_needs_its_subscription(shop: Shop) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="Missing required param") as caught:
        shop.client.v1.billing_portal.sessions.create(
            {"customer": shop.customer, "flow_data": {"type": "subscription_update"}}
        )
    assert caught.value.param == "flow_data[subscription_update]"
