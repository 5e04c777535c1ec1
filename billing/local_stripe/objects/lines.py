"""Lines of invoices, as plain sums before they belong to one."""

from dataclasses import dataclass
from typing import Any

from billing.local_stripe import ids

Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line. Amounts in the smallest unit of the currency, negative for a credit."""

    subscription: str | None
    item: str
    price: Json
    quantity: int
    amount: int
    start: int
    end: int
    description: str
    is_proration: bool = False


def for_period(subscription: str | None, item: Json, start: int, end: int) -> Line:
    price, quantity = item["price"], item["quantity"]
    amount = price["unit_amount"] * quantity
    each = f"{price['unit_amount'] / 100:.2f} {price['currency'].upper()}"
    return Line(
        subscription=subscription,
        item=item["id"],
        price=price,
        quantity=quantity,
        amount=amount,
        start=start,
        end=end,
        description=f"{quantity} × {price['lookup_key'] or price['id']} (at {each} / {price['recurring']['interval']})",
    )


def for_trial(subscription: str | None, item: Json, start: int, end: int) -> Line:
    """A free line, so that the first invoice of a trial shows what is tried."""
    return Line(
        subscription=subscription,
        item=item["id"],
        price=item["price"],
        quantity=item["quantity"],
        amount=0,
        start=start,
        end=end,
        description=f"Trial period for {item['price']['lookup_key'] or item['price']['id']}",
    )


def for_change(subscription: str, old: Json, new: Json | None, now: int) -> list[Line]:
    """What is given back for the rest of the period, and what the rest costs from now on."""
    start, end = old["current_period_start"], old["current_period_end"]
    share = max(0, end - now) / max(1, end - start)
    lines = [_part(subscription, old, -share, now, end, "Unused time on")]
    return [*lines, _part(subscription, new, share, now, end, "Remaining time on")] if new else lines


def credit(subscription: str, old: Json, now: int) -> list[Line]:
    return for_change(subscription, old, None, now)


def _part(subscription: str, item: Json, share: float, start: int, end: int, words: str) -> Line:
    price, quantity = item["price"], item["quantity"]
    return Line(
        subscription=subscription,
        item=item["id"],
        price=price,
        quantity=quantity,
        amount=round(price["unit_amount"] * quantity * share),
        start=start,
        end=end,
        description=f"{words} {quantity} × {price['lookup_key'] or price['id']}",
        is_proration=True,
    )


def shown(line: Line, invoice: str) -> Json:
    """The `line_item` of an invoice."""
    return {
        "id": ids.new("line_item"),
        "object": "line_item",
        "amount": line.amount,
        "currency": line.price["currency"],
        "description": line.description,
        "discount_amounts": [],
        "discountable": not line.is_proration,
        "discounts": [],
        "invoice": invoice,
        "livemode": False,
        "metadata": {},
        "parent": {
            "invoice_item_details": None,
            "subscription_item_details": {
                "invoice_item": None,
                "proration": line.is_proration,
                "proration_details": {"credited_items": None},
                "subscription": line.subscription,
                "subscription_item": line.item,
            },
            "type": "subscription_item_details",
        },
        "period": {"start": line.start, "end": line.end},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": line.price["id"], "product": line.price["product"]},
            "type": "price_details",
            "unit_amount_decimal": line.price["unit_amount_decimal"],
        },
        "quantity": line.quantity,
        "subtotal": line.amount,
        "taxes": [],
    }


def to_json(line: Line) -> Json:
    return dict(vars(line))


def from_json(kept: Json) -> Line:
    return Line(**kept)
