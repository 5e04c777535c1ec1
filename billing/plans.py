"""The catalogue of plans, read once from a YAML file."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

Interval = Literal["monthly", "yearly"]
INTERVALS: tuple[Interval, ...] = ("monthly", "yearly")
# What Stripe calls them.
STRIPE_INTERVALS: Mapping[Interval, Literal["month", "year"]] = {"monthly": "month", "yearly": "year"}
SeatMode = Literal["per_seat", "included", "unlimited"]
Key = Annotated[str, msgspec.Meta(pattern=r"\A[a-z][a-z0-9_]{0,39}\Z")]
Count = Annotated[int, msgspec.Meta(ge=0)]


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """``amount`` in the smallest unit of the currency, by interval and, where seats are counted, by seat."""

    amount: Count
    lookup_key: str = ""


class Seats(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """``included`` counts for that mode, ``min`` and ``max`` for what may be bought."""

    mode: SeatMode = "per_seat"
    included: Count = 0
    min: Annotated[int, msgspec.Meta(ge=1)] = 1
    max: Annotated[int, msgspec.Meta(ge=1)] = 10_000


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One thing that is sold; without prices it is not sold here."""

    id: Key
    name: str
    description: str = ""
    sort: int = 0
    prices: dict[Interval, Price] = {}
    seats: Seats = Seats()
    features: tuple[str, ...] = ()
    limits: dict[str, int] = {}
    # Shown in the list of plans.
    public: bool = True
    legacy_prices: tuple[str, ...] = ()

    def lookup_key(self, interval: Interval) -> str:
        """By which Stripe finds the price: its ids differ between test and live mode."""
        return self.prices[interval].lookup_key or f"{self.id}_{interval}"

    @property
    def counts_seats(self) -> bool:
        return self.seats.mode == "per_seat"


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """All plans. Raises ``ValueError`` for what cannot be meant."""

    currency: Annotated[str, msgspec.Meta(pattern=r"\A[a-z]{3}\Z")]
    trial_plan: Key
    plans: tuple[Plan, ...]

    def __post_init__(self) -> None:
        ids = [plan.id for plan in self.plans]
        keys = [plan.lookup_key(interval) for plan in self.plans for interval in plan.prices]
        for what, names in (("id", ids), ("lookup key", keys)):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{what} {twice[0]!r} is there twice")
        if self.trial_plan not in ids:
            raise ValueError(f"trialPlan names {self.trial_plan!r}, which is no plan")
        for plan in self.plans:
            if plan.seats.min > plan.seats.max:
                raise ValueError(f"plan {plan.id!r} has fewer seats at most than at least")

    def find(self, plan_id: str) -> Plan | None:
        return next((plan for plan in self.plans if plan.id == plan_id), None)

    def of_price(self, *, price_id: str, lookup_key: str, plan_id: str = "") -> tuple[Plan, Interval | None] | None:
        """The plan that Stripe's price was sold as: by lookup key, else by what stands on it or in the catalogue."""
        for plan in self.plans:
            for interval in plan.prices:
                if lookup_key and plan.lookup_key(interval) == lookup_key:
                    return plan, interval
            if price_id in plan.legacy_prices:
                return plan, None
        known = self.find(plan_id)
        return (known, None) if known else None


def catalogue() -> Catalogue:
    """The catalogue that ``BILLING_PLANS`` names. Raises ``ImproperlyConfigured`` when it cannot be read."""
    return _read(settings.BILLING_PLANS)


@cache
def _read(path: str) -> Catalogue:
    try:
        return msgspec.yaml.decode(Path(path).read_bytes(), type=Catalogue)
    except (OSError, msgspec.MsgspecError, ValueError) as error:
        raise ImproperlyConfigured(f"BILLING_PLANS: {path}: {error}.") from None
