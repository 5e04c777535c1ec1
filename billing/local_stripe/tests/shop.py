"""What most tests begin with: prices, a customer, a subscription."""

from dataclasses import dataclass
from typing import Any

import stripe

from billing.local_stripe.server import LocalStripe

NOW = 1_790_000_000  # 21 September 2026
DAY = 86_400


@dataclass
class Shop:
    server: LocalStripe
    client: stripe.StripeClient
    monthly: str  # 10.00 EUR a seat
    yearly: str  # 100.00 EUR a seat
    team: str  # 20.00 EUR a seat, monthly
    customer: str

    @classmethod
    def open(cls, server: LocalStripe) -> "Shop":
        client = server.client()
        product = client.v1.products.create({"name": "Pro"})

        def price(key: str, amount: int, interval: Any) -> str:
            made = client.v1.prices.create(
                {
                    "product": product.id,
                    "currency": "eur",
                    "unit_amount": amount,
                    "recurring": {"interval": interval},
                    "lookup_key": key,
                }
            )
            return made.id

        return cls(
            server=server,
            client=client,
            monthly=price("pro_monthly", 1_000, "month"),
            yearly=price("pro_yearly", 10_000, "year"),
            team=price("team_monthly", 2_000, "month"),
            customer=client.v1.customers.create({"email": "billing@acme.test", "name": "Acme"}).id,
        )

    def checkout(self, **arguments: Any) -> stripe.checkout.Session:
        params: Any = {
            "mode": "subscription",
            "customer": self.customer,
            "line_items": [{"price": self.monthly, "quantity": 2}],
            "success_url": "http://platform.test/done?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://platform.test/back",
            **arguments,
        }
        return self.client.v1.checkout.sessions.create(params)

    def subscribe(
        self, card: str | None = "4242424242424242", *, trial_days: int = 0, **arguments: Any
    ) -> stripe.Subscription:
        """Through the checkout page, as everybody does."""
        data = dict(arguments.pop("subscription_data", {}))
        if trial_days:
            data["trial_end"] = self.server.now() + trial_days * DAY
        if card is None:
            arguments["payment_method_collection"] = "if_required"
        session = self.checkout(subscription_data=data, **arguments)
        self.server.pay(session.id, card)
        done = self.client.v1.checkout.sessions.retrieve(session.id)
        return self.subscription(str(done.subscription))

    def subscription(self, id: str, params: Any = None) -> stripe.Subscription:
        return self.client.v1.subscriptions.retrieve(id, params)

    def latest_invoice(self, subscription: str) -> stripe.Invoice:
        invoice = self.subscription(subscription, {"expand": ["latest_invoice"]}).latest_invoice
        assert isinstance(invoice, stripe.Invoice)
        return invoice

    def types(self, after: str | None = None) -> list[str]:
        """The types of all events, oldest first."""
        return [event["type"] for event in self.server.events(after=after)]

    def last_event(self) -> str:
        return str(self.server.events()[-1]["id"])

    def list_all_events(self) -> list[stripe.Event]:
        return list(self.client.v1.events.list({"limit": 100}).auto_paging_iter())
