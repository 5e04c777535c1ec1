"""The hosted invoice page, where an open invoice is paid."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from billing.local_stripe import actions, lifecycle
from billing.local_stripe.errors import Refusal
from billing.local_stripe.http import Request, Response, redirect
from billing.local_stripe.objects import collecting
from billing.local_stripe.pages.rendering import Renderer, card_from, day, moment, money

if TYPE_CHECKING:
    from billing.local_stripe.server import LocalStripe


class InvoicePages:
    def __init__(self, server: "LocalStripe", renderer: Renderer) -> None:
        self._world = server.world
        self._renderer = renderer

    def show(self, request: Request, id: str) -> Response:
        with self._world.store.transaction():
            lifecycle.catch_up(self._world)
            return self._page(id, {})

    def pay(self, request: Request, id: str) -> Response:
        form = request.form()
        world = self._world
        refused: Refusal | None = None
        try:
            with world.store.transaction():
                lifecycle.catch_up(world)
                try:
                    card = card_from(form) if form.get("number") else None
                    actions.pay_invoice(world, id, card=card, is_confirmed=form.get("confirmed") == "yes")
                except Refusal as refusal:
                    if not refusal.effects_stay:
                        raise
                    refused = refusal
        except actions.NeedsConfirmation:
            return self._page(id, form, asks_bank=True)
        except Refusal as refusal:
            refused = refusal
        if refused is not None:
            return self._page(id, form, trouble=refused.message, status=refused.status)
        return redirect(f"/i/{id}")

    def _page(
        self, id: str, form: Mapping[str, str], *, trouble: str = "", asks_bank: bool = False, status: int = 200
    ) -> Response:
        world = self._world
        invoice = world.find("invoice", id, "invoice")
        currency = invoice["currency"]
        method = world.store.get("payment_method", collecting.method_for(world, invoice) or "")
        lines = [
            {
                "description": line["description"],
                "period": f"{day(line['period']['start'])} – {day(line['period']['end'])}",
                "amount": money(line["amount"], currency),
            }
            for line in invoice["lines"]["data"]
        ]
        values = {
            "invoice": invoice,
            "lines": lines,
            "total": money(invoice["total"], currency),
            "due": money(invoice["amount_remaining"], currency),
            "credit": money(invoice["starting_balance"], currency) if invoice["starting_balance"] else "",
            "created": day(invoice["created"]),
            "paid_at": moment(invoice["status_transitions"]["paid_at"]),
            "next_attempt": moment(invoice["next_payment_attempt"]),
            "attempts": str(invoice["attempt_count"]),
            "last4": method["card"]["last4"] if method else "",
            "form": dict(form),
            "trouble": trouble,
            "asks_bank": asks_bank,
        }
        return self._renderer.page("invoice.html", values, status)
