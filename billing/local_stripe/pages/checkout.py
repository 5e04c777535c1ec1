"""The checkout page."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from billing.local_stripe import actions, lifecycle
from billing.local_stripe.errors import Refusal
from billing.local_stripe.http import Request, Response, redirect
from billing.local_stripe.objects import checkout_sessions
from billing.local_stripe.pages.rendering import Renderer, card_from, day, money, plan_name, rhythm

if TYPE_CHECKING:
    from billing.local_stripe.server import LocalStripe

Json = dict[str, Any]


class CheckoutPages:
    def __init__(self, server: "LocalStripe", renderer: Renderer) -> None:
        self._world = server.world
        self._renderer = renderer

    def show(self, request: Request, id: str) -> Response:
        with self._world.store.transaction():
            lifecycle.catch_up(self._world)
            return self._page(id, {})

    def subscribe(self, request: Request, id: str) -> Response:
        form = request.form()
        world = self._world
        try:
            with world.store.transaction():
                lifecycle.catch_up(world)
                session = world.find("checkout.session", id, "session")
                wants_card = checkout_sessions.needs_card(world, session) or bool(form.get("number"))
                card = card_from(form) if wants_card else None
                where = actions.subscribe(
                    world, id, card=card, email=form.get("email"), quantities=self._quantities(id, form)
                )
                return redirect(where)
        except actions.NeedsConfirmation:
            return self._page(id, form, asks_bank=True)
        except Refusal as refusal:
            return self._page(id, form, trouble=refusal.message, status=refusal.status)

    def _quantities(self, id: str, form: Mapping[str, str]) -> dict[str, int]:
        items = (self._world.store.get("_checkout", id) or {"line_items": []})["line_items"]
        given = {item["id"]: form.get(f"quantity-{item['id']}", "") for item in items}
        return {item: int(text) for item, text in given.items() if text.isdecimal() and len(text) < 8}

    def _page(
        self, id: str, form: Mapping[str, str], *, trouble: str = "", asks_bank: bool = False, status: int = 200
    ) -> Response:
        world = self._world
        session = world.find("checkout.session", id, "session")
        kept = world.store.get("_checkout", id) or {"line_items": [], "plan": {}}
        customer = world.store.get("customer", session["customer"] or "") or {}
        plan = kept["plan"]
        trial_end = plan["trial_end"] or (
            world.now() + plan["trial_period_days"] * 86_400 if plan["trial_period_days"] else None
        )
        items = [self._item(item, form) for item in kept["line_items"]]
        total = sum(item["amount_total"] for item in kept["line_items"])
        recurring = rhythm(kept["line_items"][0]["price"])
        values = {
            "session": session,
            "items": items,
            "status": session["status"],
            "back": session["cancel_url"],
            "onward": checkout_sessions.success_url(session),
            "due_now": money(0 if trial_end else total, session["currency"]),
            "later": f"{money(total, session['currency'])} / {recurring}",
            "trial_end": day(trial_end),
            "needs_card": checkout_sessions.needs_card(world, session),
            "email": customer.get("email") or session["customer_email"] or "",
            "asks_email": session["customer"] is None and not session["customer_email"],
            "takes_codes": session["allow_promotion_codes"],
            "form": dict(form),
            "trouble": trouble,
            "asks_bank": asks_bank,
        }
        return self._renderer.page("checkout.html", values, status)

    def _item(self, item: Json, form: Mapping[str, str]) -> Json:
        adjustable = item["adjustable_quantity"] or {}
        price = item["price"]
        return {
            "name": plan_name(self._world, price),
            "field": f"quantity-{item['id']}",
            "quantity": form.get(f"quantity-{item['id']}", str(item["quantity"])),
            "is_adjustable": adjustable.get("enabled", False),
            "minimum": str(adjustable.get("minimum", 1)),
            "maximum": str(adjustable.get("maximum", 99)),
            "each": f"{money(price['unit_amount'], price['currency'])} / {rhythm(price)}",
            "amount": money(item["amount_total"], item["currency"]),
        }
