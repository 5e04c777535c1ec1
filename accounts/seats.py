"""Seats: how many people a tenant may have. Billing says how many; this keeps to it.

People who are active and people who are invited hold a seat. Who takes one
counts and writes under one lock, so that any number of invitations at once
never exceed the limit. Accepting an invitation takes none: it is held already.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection

from accounts import catalog, errors
from accounts.models import User
from platform_site.binding import TenantRef, require_tenant
from platform_site.catalog import Catalog
from platform_site.errors import PlatformError
from tenancy.org_settings.selectors import setting_value

HOLDING = (User.Status.ACTIVE, User.Status.PENDING)


@dataclass(frozen=True, slots=True)
class SeatAllowance:
    """``limit`` None: as many as they like. ``may_exceed``: the plan takes more people, for more money."""

    limit: int | None = None
    may_exceed: bool = False


@dataclass(frozen=True, slots=True)
class SeatRule:
    """``allow`` says what a tenant is allowed; it runs with the tenant bound."""

    key: str
    allow: Callable[[TenantRef], SeatAllowance]


seat_rules: Catalog[SeatRule] = Catalog("seat rules")


def seats_allowed() -> SeatAllowance:
    """The smallest allowance of all rules for the bound tenant; no rule, no limit."""
    tenant = require_tenant()
    limited = [one for rule in seat_rules if (one := rule.allow(tenant)).limit is not None]
    return min(limited, key=lambda one: one.limit or 0, default=SeatAllowance())


def seats_used() -> int:
    return User.objects.filter(status__in=HOLDING).count()


def seat_take() -> None:
    """Make sure that one more person fits, until the caller's transaction ends. Raises ``seat_limit_reached``.

    The caller writes the person in the same transaction; whoever comes next
    waits here until that is over.
    """
    allowed = seats_allowed()
    if allowed.limit is None:
        return
    _lock()
    used = seats_used()
    if used < allowed.limit:
        return
    if allowed.may_exceed and setting_value(catalog.SEATS_WHEN_FULL) == "exceed":
        return
    raise PlatformError(errors.SEAT_LIMIT_REACHED, context={"limit": allowed.limit, "used": used})


def _lock() -> None:
    """One at a time in this tenant, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"seats:{require_tenant().id.hex}"])
