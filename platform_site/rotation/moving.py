"""Writing everything that is stored under another key anew under the first one."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from platform_site.binding import bind
from platform_site.derived_values import derived_values
from platform_site.keys import current_token_key
from platform_site.rotation.counting import Watched, shared_columns, tenant_columns, unwatched
from platform_site.sealed_columns import SealedColumn, reseal
from platform_site.tenants import tenants_with_schema

# So many of what cannot be read are named; all are counted.
MOST_NAMED: Final = 100


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A sealed value that no key of the ring opens: what it is, whose ("" in public), its primary key."""

    what: str
    tenant: str
    row: str


@dataclass(slots=True)
class Moved:
    """How many values of each kind were written anew."""

    sealed: Counter[str] = field(default_factory=Counter)
    renewed: Counter[str] = field(default_factory=Counter)
    unreadable: list[Unreadable] = field(default_factory=list)
    unreadable_count: int = 0


def move_all(watched: Watched = unwatched) -> Moved:
    """Public, then tenant by tenant. The platform may run meanwhile; being killed costs nothing but the rest."""
    moved = Moved()
    for column in shared_columns():
        _reseal(column, "", moved)
    for tenant in watched(tenants_with_schema()):
        with bind(tenant):
            for column in tenant_columns():
                _reseal(column, tenant.slug, moved)
            _renew(moved)
    return moved


def _reseal(column: SealedColumn, tenant: str, moved: Moved) -> None:
    done = reseal(column)
    moved.sealed[column.key] += done.moved
    moved.unreadable_count += len(done.unreadable)
    room = MOST_NAMED - len(moved.unreadable)
    moved.unreadable += [Unreadable(column.key, tenant, row) for row in done.unreadable[:room]]


def _renew(moved: Moved) -> None:
    for value in derived_values:
        others = sum(number for kid, number in value.by_key().items() if kid != current_token_key())
        if value.renew is not None and others:
            value.renew()
            moved.renewed[value.key] += others
