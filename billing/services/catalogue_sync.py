"""Plans and prices in Stripe: what of the catalogue is there, and making what is not."""

from dataclasses import dataclass, field

from billing.plans import STRIPE_INTERVALS, Interval, Plan, catalogue
from billing.stripe_api import Object, stripe_api


@dataclass(slots=True)
class CatalogueReport:
    """Lookup keys. ``different``: the price costs something else there; a price cannot be changed in Stripe."""

    present: list[str] = field(default_factory=list)
    created: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    different: list[str] = field(default_factory=list)


def catalogue_sync(*, create: bool, replace: bool = False, dry_run: bool = False) -> CatalogueReport:
    """Compare the catalogue with Stripe's prices by lookup key; with ``create`` make those that are missing.

    With ``replace`` a price that is different there gives its lookup key to a new one. Who subscribed to it goes
    on paying it, and keeps the plan. With ``dry_run`` the report says what would be made, and nothing is.

    Raises ``billing_not_configured``, ``billing_provider_error``.
    """
    plans, report = catalogue(), CatalogueReport()
    wanted = {plan.lookup_key(interval): (plan, interval) for plan in plans.plans for interval in plan.prices}
    found = stripe_api().prices_by(list(wanted))
    for key, (plan, interval) in wanted.items():
        price = found.get(key)
        if price is None and create:
            if not dry_run:
                _create(plan, interval, key, plans.currency)
            report.created.append(key)
        elif price is None:
            report.missing.append(key)
        elif not _is_other(price, plan, interval, plans.currency):
            report.present.append(key)
        elif replace:
            if not dry_run:
                _create(plan, interval, key, plans.currency, takes_key=True)
            report.replaced.append(key)
        else:
            report.different.append(key)
    return report


def _is_other(price: Object, plan: Plan, interval: Interval, currency: str) -> bool:
    said = (price["currency"], price["unit_amount"], (price.get("recurring") or {}).get("interval"))
    return said != (currency, plan.prices[interval].amount, STRIPE_INTERVALS[interval])


def _create(plan: Plan, interval: Interval, key: str, currency: str, *, takes_key: bool = False) -> None:
    """A price with its product. The keys make a second run at the same moment the same call."""
    product = stripe_api().product_create(
        {"name": plan.name, "metadata": {"plan_id": plan.id}}, key=f"product:{plan.id}:{currency}"
    )
    amount = plan.prices[interval].amount
    stripe_api().price_create(
        {
            "product": product["id"],
            "currency": currency,
            "unit_amount": amount,
            "lookup_key": key,
            "transfer_lookup_key": takes_key,
            # By which the plan is known when another price has the key.
            "metadata": {"plan_id": plan.id},
            "recurring": {"interval": STRIPE_INTERVALS[interval]},
        },
        key=f"price:{key}:{currency}:{amount}:{product['id']}",
    )
