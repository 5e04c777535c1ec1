"""The billing portal."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from billing.local_stripe import actions, lifecycle
from billing.local_stripe.errors import Refusal
from billing.local_stripe.http import Request, Response, redirect
from billing.local_stripe.objects import collecting, ending, portal, previews, subscription_items, subscriptions
from billing.local_stripe.pages.rendering import Renderer, card_from, day, money, plan_name, rhythm

if TYPE_CHECKING:
    from billing.local_stripe.server import LocalStripe

Json = dict[str, Any]

_DONE = {
    "card": "The new card is used from now on.",
    "cancel": "The subscription ends with its period.",
    "resume": "The subscription goes on.",
    "plan": "The plan is changed.",
}


class PortalPages:
    def __init__(self, server: "LocalStripe", renderer: Renderer) -> None:
        self._world = server.world
        self._renderer = renderer

    def show(self, request: Request, slug: str) -> Response:
        with self._world.store.transaction():
            lifecycle.catch_up(self._world)
            done = _DONE.get(request.query.removeprefix("done="), "")
            return self._page(slug, done=done)

    def change_card(self, request: Request, slug: str) -> Response:
        form = request.form()
        return self._do(slug, "card", lambda customer: actions.change_card(self._world, customer, card_from(form)))

    def cancel(self, request: Request, slug: str) -> Response:
        form = request.form()

        def end(customer: str) -> None:
            subscription = self._own(customer, form)
            mode = self._features(slug)["subscription_cancel"]["mode"]
            if mode == "immediately":
                subscriptions.cancel(self._world, {}, subscription["id"])
            else:
                params = {"cancel_at_period_end": True, "cancellation_details": {"feedback": form.get("feedback", "")}}
                subscriptions.update(self._world, params, subscription["id"])

        return self._do(slug, "cancel", end)

    def resume(self, request: Request, slug: str) -> Response:
        form = request.form()

        def go_on(customer: str) -> None:
            subscription = self._own(customer, form)
            if subscription["status"] == "paused":
                subscriptions.resume(self._world, {}, subscription["id"])
            else:
                subscriptions.update(self._world, {"cancel_at_period_end": False}, subscription["id"])

        return self._do(slug, "resume", go_on)

    def change_plan(self, request: Request, slug: str) -> Response:
        form = request.form()

        def change(customer: str) -> None:
            subscription = self._own(customer, form)
            item = subscription["items"]["data"][0]
            wanted: Json = {"id": item["id"]}
            if form.get("price", item["price"]["id"]) != item["price"]["id"]:
                wanted["price"] = form["price"]
            quantity = form.get("quantity", "")
            if not quantity.isdecimal() or not 1 <= int(quantity) <= 999_999:
                raise Refusal("The quantity must be a number from 1 on.", param="quantity")
            wanted["quantity"] = int(quantity)
            prorating = self._features(slug)["subscription_update"]["proration_behavior"]
            params = {"items": [wanted], "proration_behavior": prorating}
            subscriptions.update(self._world, params, subscription["id"])

        return self._do(slug, "plan", change)

    def _do(self, slug: str, what: str, deed: Callable[[str], object]) -> Response:
        world = self._world
        try:
            with world.store.transaction():
                lifecycle.catch_up(world)
                session = portal.session_of_slug(world, slug)
                self._require(slug, what)
                deed(session["customer"])
        except Refusal as refusal:
            return self._page(slug, trouble=refusal.message, status=refusal.status)
        flow: Json | None = session["flow"]
        completion: Json = flow["after_completion"] if flow else {"type": "portal_homepage"}
        if flow and completion["type"] == "redirect":
            return redirect(completion["redirect"]["return_url"])
        return redirect(f"/p/session/{slug}?done={what}")

    def _require(self, slug: str, what: str) -> None:
        """Only what the configuration of this session offers."""
        features = self._features(slug)
        feature = {"card": "payment_method_update", "plan": "subscription_update"}.get(what, "subscription_cancel")
        if not features[feature]["enabled"]:
            raise Refusal("This is not offered here.", status=403)

    def _features(self, slug: str) -> Json:
        session = portal.session_of_slug(self._world, slug)
        configuration = self._world.find("billing_portal.configuration", session["configuration"])
        features: Json = configuration["features"]
        return features

    def _own(self, customer: str, form: dict[str, str]) -> Json:
        """A form names a subscription, and it has to be one of this customer."""
        found = self._world.find("subscription", form.get("subscription", ""), "subscription")
        if found["customer"] != customer or found["status"] in ending.OVER:
            raise Refusal("This subscription cannot be changed here.", status=403)
        return found

    # -- showing -------------------------------------------------------------------------------

    def _page(self, slug: str, *, done: str = "", trouble: str = "", status: int = 200) -> Response:
        world = self._world
        session = portal.session_of_slug(world, slug)
        customer = world.find("customer", session["customer"], "customer")
        features = self._features(slug)
        live = [
            each for each in subscription_items.of_customer(world, customer["id"]) if each["status"] not in ending.OVER
        ]
        method = world.store.get("payment_method", self._method(customer, live) or "")
        invoices = [each for each in world.store.all("invoice") if each["customer"] == customer["id"]]
        values = {
            "slug": slug,
            "customer": customer,
            "features": features,
            "subscriptions": [self._subscription(each) for each in live],
            "card": f"•••• {method['card']['last4']}, {method['card']['exp_month']:02}/{method['card']['exp_year']}"
            if method
            else "",
            "invoices": [self._invoice(each) for each in invoices[::-1][:24]],
            "return_url": session["return_url"],
            "flow": session["flow"]["type"] if session["flow"] else "",
            "reasons": ["too_expensive", "missing_features", "switched_service", "unused", "other"],
            "done": done,
            "trouble": trouble,
        }
        return self._renderer.page("portal.html", values, status)

    def _method(self, customer: Json, live: list[Json]) -> str | None:
        own = next((each["default_payment_method"] for each in live if each["default_payment_method"]), None)
        return own or collecting.default_method(self._world, customer["id"], None)

    def _subscription(self, subscription: Json) -> Json:
        world = self._world
        item = subscription["items"]["data"][0]
        price = item["price"]
        preview = previews.of_next(world, subscription)
        is_paying = subscription["status"] in {"active", "trialing", "past_due"} and not subscription["cancel_at"]
        return {
            "id": subscription["id"],
            "name": plan_name(world, price),
            "status": subscription["status"].replace("_", " "),
            "is_paused": subscription["status"] == "paused",
            "price": f"{money(price['unit_amount'] * item['quantity'], price['currency'])} / {rhythm(price)}",
            "quantity": str(item["quantity"]),
            "next": f"{money(preview['amount_due'], preview['currency'])} on {day(item['current_period_end'])}"
            if is_paying
            else "",
            "trial_end": day(subscription["trial_end"]) if subscription["status"] == "trialing" else "",
            "ends": day(subscription["cancel_at"]),
            "is_planned": subscription["schedule"] is not None,
            "prices": self._prices(subscription),
        }

    def _prices(self, subscription: Json) -> list[Json]:
        """All plans in the same currency. The present one is listed even when it is sold no more."""
        present = subscription["items"]["data"][0]["price"]
        offered = [
            price
            for price in self._world.store.all("price")
            if price["id"] == present["id"]
            or (price["active"] and price["recurring"] and price["currency"] == present["currency"])
        ]
        return [
            {
                "id": price["id"],
                "label": f"{plan_name(self._world, price)}, "
                f"{money(price['unit_amount'], price['currency'])} / {rhythm(price)}",
                "is_present": price["id"] == present["id"],
            }
            for price in offered
        ]

    def _invoice(self, invoice: Json) -> Json:
        return {
            "id": invoice["id"],
            "number": invoice["number"] or "draft",
            "created": day(invoice["created"]),
            "total": money(invoice["total"], invoice["currency"]),
            "status": invoice["status"],
            "has_page": invoice["status"] != "draft",
        }
