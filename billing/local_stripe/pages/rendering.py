"""Templates, and values as people read them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.template import Context, Engine

from billing.local_stripe.errors import Refusal
from billing.local_stripe.http import Response
from billing.local_stripe.world import World

Json = dict[str, Any]

# No scripts, and nothing from elsewhere. Forms may lead elsewhere: the checkout goes back to the platform.
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # Addresses of sessions let in whoever has them.
    "Referrer-Policy": "same-origin",
}

_WITHOUT_CENTS = frozenset({"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf"})


class Renderer:
    def __init__(self, world: World) -> None:
        self._world = world
        # Django's templates alone, without its settings: this server starts in a moment and needs none.
        self._engine = Engine(dirs=[str(Path(__file__).parent / "templates")], autoescape=True)

    def page(self, template: str, values: Mapping[str, Any], status: int = 200) -> Response:
        context = Context({"now": moment(self._world.now()), **values}, use_l10n=False, use_tz=False)
        text = self._engine.get_template(template).render(context)
        return Response(status, text.encode(), dict(_HEADERS))

    def problem(self, status: int, message: str) -> Response:
        return self.page("problem.html", {"message": message}, status)


def money(amount: int, currency: str) -> str:
    shown = f"{amount:,}" if currency in _WITHOUT_CENTS else f"{amount / 100:,.2f}"
    return f"{shown} {currency.upper()}"


def moment(unix: int | None) -> str:
    return f"{datetime.fromtimestamp(unix, UTC):%d %b %Y, %H:%M} UTC" if unix else ""


def day(unix: int | None) -> str:
    return f"{datetime.fromtimestamp(unix, UTC):%d %b %Y}" if unix else ""


def rhythm(price: Json) -> str:
    recurring = price["recurring"]
    count = recurring["interval_count"]
    return str(recurring["interval"]) if count == 1 else f"{count} {recurring['interval']}s"


def plan_name(world: World, price: Json) -> str:
    product = world.store.get("product", price["product"]) or {}
    return str(price["nickname"] or product.get("name") or price["lookup_key"] or price["id"])


def card_from(form: Mapping[str, str]) -> Json:
    """The card of a form. Raises what the page has to show."""
    month, _, year = form.get("expiry", "").replace(" ", "").partition("/")
    if not (month.isdecimal() and year.isdecimal() and len(year) in {2, 4}):
        message = "Your card's expiration date is incomplete."
        raise Refusal(message, status=402, type="card_error", code="incomplete_expiry", param="expiry")
    if not form.get("cvc", "").isdecimal():
        message = "Your card's security code is incomplete."
        raise Refusal(message, status=402, type="card_error", code="incomplete_cvc", param="cvc")
    return {
        "number": form.get("number", "").replace(" ", ""),
        "month": int(month),
        "year": int(year) + (2000 if len(year) == 2 else 0),
        "confirmed": form.get("confirmed") == "yes",
    }
