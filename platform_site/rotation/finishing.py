"""Whether the old key of a ring may go."""

from collections import Counter
from itertools import chain

from platform_site.binding import bind
from platform_site.derived_values import derived_values
from platform_site.rotation.counting import (
    STAFF_SESSIONS,
    Watched,
    shared_columns,
    staff_sessions_by_key,
    tenant_columns,
    unwatched,
)
from platform_site.rotation.rings import BEFORE, DJANGO, ENCRYPTION, TOKEN, key_ids
from platform_site.sealed_columns import SealedColumn, count_by_key, needing
from platform_site.tenants import tenants_with_schema


def what_needs_the_old_key(name: str, watched: Watched = unwatched) -> Counter[str]:
    """How many of each kind would be lost with it; empty when it may go.

    A sealed value that it does not open, although it names it, is lost already and keeps no key. Of what is
    signed and not stored (access tokens, cookies) nobody can know: that ends by time alone.
    """
    kid = key_ids(name)[-1]
    if name == DJANGO:
        return +Counter({STAFF_SESSIONS: staff_sessions_by_key()[BEFORE]})
    needed: Counter[str] = Counter()
    if name == ENCRYPTION:
        needed.update(chain.from_iterable(_sealed(column, kid) for column in shared_columns()))
    if name in (ENCRYPTION, TOKEN):
        for tenant in watched(tenants_with_schema()):
            with bind(tenant):
                needed.update(_of_tenant(name, kid))
    return +needed


def _of_tenant(name: str, kid: str) -> Counter[str]:
    if name == ENCRYPTION:
        return Counter(chain.from_iterable(_sealed(column, kid) for column in tenant_columns()))
    return Counter({value.key: value.by_key().get(kid, 0) for value in derived_values if not value.outlives})


def _sealed(column: SealedColumn, kid: str) -> list[str]:
    """The column's name as often as it has a value that needs the key."""
    if not count_by_key(column).get(kid):
        return []
    return [column.key for _ in needing(column, kid)]
