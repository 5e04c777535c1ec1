"""Products and prices."""

import pytest
import stripe

from billing.local_stripe.tests.shop import Shop

pytestmark = pytest.mark.no_django


def test_products_are_made_changed_and_listed(shop: Shop) -> None:
    product = shop.client.v1.products.create({"name": "Team", "metadata": {"plan": "team"}, "id": "prod_team"})
    assert product.id == "prod_team"
    changed = shop.client.v1.products.update(product.id, {"name": "Teams", "active": False, "metadata": {"a": "b"}})
    assert (changed.name, changed.metadata.to_dict()) == ("Teams", {"plan": "team", "a": "b"})
    assert shop.client.v1.products.retrieve(product.id).active is False
    assert [each.id for each in shop.client.v1.products.list({"active": False}).data] == ["prod_team"]
    updated = shop.server.events("product.updated")[-1]
    assert updated["data"]["previous_attributes"] == {"name": "Team", "active": True, "metadata": {"a": None}}
    with pytest.raises(stripe.InvalidRequestError, match="already exists"):
        shop.client.v1.products.create({"name": "Other", "id": "prod_team"})


def test_prices_are_found_by_their_lookup_key(shop: Shop) -> None:
    found = shop.client.v1.prices.list({"lookup_keys": ["pro_yearly", "pro_monthly"], "active": True})
    assert {each.id for each in found.data} == {shop.monthly, shop.yearly}
    price = shop.client.v1.prices.retrieve(shop.yearly, {"expand": ["product"]})
    assert price.recurring is not None
    assert (price.unit_amount, price.recurring.interval, price.type) == (10_000, "year", "recurring")


def test_a_lookup_key_moves_only_on_demand(shop: Shop) -> None:
    product = shop.client.v1.prices.retrieve(shop.monthly).product
    assert isinstance(product, str)

    def create(transfer: bool) -> stripe.Price:
        return shop.client.v1.prices.create(
            {
                "product": product,
                "currency": "eur",
                "unit_amount": 1_200,
                "recurring": {"interval": "month"},
                "lookup_key": "pro_monthly",
                "transfer_lookup_key": transfer,
            }
        )

    with pytest.raises(stripe.InvalidRequestError, match="already uses that lookup key"):
        create(transfer=False)
    dearer = create(transfer=True)
    assert [each.id for each in shop.client.v1.prices.list({"lookup_keys": ["pro_monthly"]}).data] == [dearer.id]
    assert shop.client.v1.prices.retrieve(shop.monthly).lookup_key is None


def test_an_inactive_price_is_sold_to_nobody_new(shop: Shop) -> None:
    subscription = shop.subscribe()
    shop.client.v1.prices.update(shop.monthly, {"active": False})
    with pytest.raises(stripe.InvalidRequestError, match="inactive"):
        shop.checkout()
    shop.server.advance(days=31)
    assert shop.subscription(subscription.id).status == "active"
