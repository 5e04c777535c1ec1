"""What somebody wants to buy: judged against the catalogue and the people who need a seat."""

from dataclasses import dataclass

from accounts.seats import seats_used
from billing import errors
from billing.plans import Interval, Plan, catalogue
from billing.return_paths import is_own_path
from billing.stripe_api import stripe_api
from platform_site.errors import PlatformError, invalid_field


@dataclass(frozen=True, slots=True)
class Selection:
    """What somebody wants to buy. Paths are of the product's frontend; "" for its billing page."""

    plan: Plan
    interval: Interval
    quantity: int
    success_path: str = ""
    cancel_path: str = ""


def selection_of(
    *, plan_id: str, interval: str, quantity: int | None = None, success_path: str = "", cancel_path: str = ""
) -> Selection:
    """Judge what was asked for, in the bound tenant.

    Raises ``unknown_plan``, ``unknown_interval``, ``plan_not_purchasable``, ``quantity_not_allowed`` and
    ``return_path_invalid`` with their fields, and ``quantity_below_used_seats``.
    """
    plan = catalogue().find(plan_id)
    if plan is None:
        raise invalid_field("planId", errors.UNKNOWN_PLAN)
    if not plan.prices:
        raise invalid_field("planId", errors.PLAN_NOT_PURCHASABLE)
    if interval not in plan.prices:
        raise invalid_field("interval", errors.UNKNOWN_INTERVAL)
    for name, path in (("successPath", success_path), ("cancelPath", cancel_path)):
        if not is_own_path(path):
            raise invalid_field(name, errors.RETURN_PATH_INVALID)
    return Selection(plan, interval, _quantity(plan, quantity), success_path, cancel_path)


def _quantity(plan: Plan, wanted: int | None) -> int:
    used = seats_used()
    if not plan.counts_seats:
        if wanted not in (None, 1):
            raise invalid_field("quantity", errors.QUANTITY_NOT_ALLOWED, "This plan is not sold by the seat.")
        if plan.seats.mode == "included" and used > plan.seats.included:
            raise _too_few(plan.seats.included, used)
        return 1
    quantity = max(used, plan.seats.min) if wanted is None else wanted
    if not plan.seats.min <= quantity <= plan.seats.max:
        text = f"Between {plan.seats.min} and {plan.seats.max} seats are sold."
        raise invalid_field("quantity", errors.QUANTITY_NOT_ALLOWED, text)
    if quantity < used:
        raise _too_few(quantity, used)
    return quantity


def _too_few(seats: int, used: int) -> PlatformError:
    return PlatformError(errors.QUANTITY_BELOW_USED, context={"seats": seats, "used": used})


def price_id(plan: Plan, interval: Interval) -> str:
    """Stripe's id of a price. Raises ``billing_provider_error`` when Stripe has none under its lookup key."""
    key = plan.lookup_key(interval)
    price = stripe_api().prices_by([key]).get(key)
    if price is None:
        raise PlatformError(
            errors.BILLING_PROVIDER_ERROR, "The payment provider has no price for this plan.", context={"price": key}
        )
    found: str = price["id"]
    return found
