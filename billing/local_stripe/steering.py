"""From outside of the API: the clock is moved, and somebody fills in the pages."""

from typing import Any

from billing.local_stripe import actions, lifecycle
from billing.local_stripe.clock import DAY, HOUR
from billing.local_stripe.errors import Refusal
from billing.local_stripe.objects import payment_methods
from billing.local_stripe.world import World

Json = dict[str, Any]


class Steering:
    """Each method is one transaction, like a request."""

    def __init__(self, world: World) -> None:
        self._world = world

    # -- the clock -----------------------------------------------------------------------------

    def now(self) -> int:
        """Unix seconds."""
        return self._world.now()

    def next_due(self) -> int | None:
        with self._world.store.lock:
            return lifecycle.next_due(self._world)

    def advance(self, *, days: float = 0, hours: float = 0, seconds: float = 0) -> int:
        """Move the clock forward and do all that becomes due. Answers the new time."""
        return self.advance_to(self._world.clock.target() + int(days * DAY + hours * HOUR + seconds))

    def advance_to(self, moment: int) -> int:
        world = self._world
        with world.store.transaction():
            world.clock.move_to(moment)
            world.store.add("_clock", "offset", {"offset": world.clock.offset, "fixed": world.clock.fixed})
            lifecycle.catch_up(world)
        return self.now()

    def catch_up(self) -> None:
        """Real time passes as well."""
        world = self._world
        with world.store.transaction():
            lifecycle.catch_up(world)

    # -- the pages -----------------------------------------------------------------------------

    def pay(
        self,
        session: str,
        card: str | None = payment_methods.PAYS,
        *,
        quantity: int | None = None,
        email: str | None = None,
        confirms: bool = True,
    ) -> str:
        """Fill in the checkout page, and answer where the browser goes next. `card` None: without a card.

        `confirms` says what is done when the bank asks. Raises the Refusal that the page would show.
        """
        world = self._world
        with world.store.transaction():
            lifecycle.catch_up(world)
            items = (world.store.get("_checkout", session) or {"line_items": []})["line_items"]
            quantities = {items[0]["id"]: quantity} if quantity is not None and items else {}
            given = self._card(card, confirms) if card else None
            try:
                return actions.subscribe(world, session, card=given, email=email, quantities=quantities)
            except actions.NeedsConfirmation:
                raise Refusal("The bank was not given the confirmation that it asked for.", status=402) from None

    def change_card(self, customer: str, card: str) -> Json:
        """What the portal's page does. Answers the new payment method."""
        with self._world.store.transaction():
            return dict(actions.change_card(self._world, customer, self._card(card, False)))

    def pay_invoice(self, invoice: str, card: str | None = None, *, confirms: bool = True) -> Json:
        """What the invoice's page does. Answers the invoice."""
        world = self._world
        refused: Refusal | None = None
        with world.store.transaction():
            given = self._card(card, False) if card else None
            try:
                return dict(actions.pay_invoice(world, invoice, card=given, is_confirmed=confirms))
            except actions.NeedsConfirmation:
                refused = Refusal("The bank was not given the confirmation that it asked for.", status=402)
            except Refusal as refusal:
                if not refusal.effects_stay:
                    raise
                refused = refusal
        raise refused

    def _card(self, number: str, is_confirmed: bool) -> Json:
        return actions.card(number, year=actions.a_year_ahead(self._world), is_confirmed=is_confirmed)
