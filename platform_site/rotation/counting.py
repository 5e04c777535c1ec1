"""How much of what is stored is under which key, over public and all tenants."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core import signing
from django.utils import timezone

from platform_site.binding import TenantRef, bind
from platform_site.derived_values import derived_values
from platform_site.rotation.rings import BEFORE, CURRENT, DJANGO, ENCRYPTION, JWT, TOKEN
from platform_site.sealed_columns import SealedColumn, count_by_key, sealed_columns
from platform_site.tenants import tenants_with_schema

STAFF_SESSIONS = "staff.sessions"
Counted = dict[str, Counter[str]]
# Shows how far the walk is.
Watched = Callable[[Iterator[TenantRef]], Iterator[TenantRef]]


def unwatched(tenants: Iterator[TenantRef]) -> Iterator[TenantRef]:
    return tenants


@dataclass(slots=True)
class Uses:
    """By ring, by what it is: how many values under each key's id."""

    by_ring: dict[str, Counted] = field(default_factory=lambda: defaultdict(lambda: defaultdict(Counter)))

    def add(self, ring: str, what: str, counted: Mapping[str, int]) -> None:
        self.by_ring[ring][what].update(counted)


def count_uses(watched: Watched = unwatched) -> Uses:
    """Everything: a handful of queries for each tenant."""
    uses = Uses()
    for ring in (JWT, TOKEN, ENCRYPTION, DJANGO):
        uses.by_ring[ring] = defaultdict(Counter)
    for column in shared_columns():
        uses.add(ENCRYPTION, column.key, count_by_key(column))
    uses.add(DJANGO, STAFF_SESSIONS, staff_sessions_by_key())
    for tenant in watched(tenants_with_schema()):
        with bind(tenant):
            for column in tenant_columns():
                uses.add(ENCRYPTION, column.key, count_by_key(column))
            for value in derived_values:
                uses.add(TOKEN, value.key, value.by_key())
    return uses


def shared_columns() -> list[SealedColumn]:
    return [column for column in sealed_columns if column.is_shared]


def tenant_columns() -> list[SealedColumn]:
    return [column for column in sealed_columns if not column.is_shared]


def staff_sessions_by_key() -> Counter[str]:
    """Sessions of the admin that live, by the key that signed what they hold; "" stands for neither key."""
    keys = dict(zip((CURRENT, BEFORE), (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS), strict=False))
    live = Session.objects.filter(expire_date__gt=timezone.now()).values_list("session_data", flat=True)
    return Counter(_signer(data, keys) for data in live.iterator(chunk_size=1000))


def _signer(data: str, keys: Mapping[str, str]) -> str:
    for name, key in keys.items():
        signer = signing.TimestampSigner(key=key, fallback_keys=[], salt=SessionStore().key_salt)
        try:
            signer.unsign(data)
        except signing.BadSignature:
            continue
        return name
    return ""
