"""Addresses that get no mail from the bound tenant, and what puts them there.

An address that does not exist, or whose owner complained, is left alone for
good; one that refused three mails within a week is left alone for a week. Who
unsubscribed from everything gets what is mandatory and nothing else. Addresses
are found by a keyed hash that outlives the person's erasure.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from accounts.emails import email_key
from accounts.models import User
from notifications import catalog
from notifications.models import SoftBounce, Suppression
from platform_site.binding import require_tenant
from platform_site.errors import NOT_FOUND, PlatformError
from platform_site.ids import uuid7
from platform_site.journal.services import record
from platform_site.keys import current_token_key, derived_secret
from platform_site.outbox.clock import working_now

ALL: Final = Suppression.Scope.ALL
OPTIONAL: Final = Suppression.Scope.OPTIONAL
SCOPES: Final = tuple(Suppression.Scope.values)
Reason = Suppression.Reason
SOFT_BOUNCES: Final = 3
SOFT_WINDOW: Final = timedelta(days=7)
SOFT_PAUSE: Final = timedelta(days=7)


def address_hash(email: str, key_id: str = "") -> bytes:
    """The same for all spellings of an address, and another one in each tenant."""
    tenant_id = require_tenant().id.hex
    return derived_secret(key_id or current_token_key(), "mail address", tenant_id, email_key(email)).encode()


def addresses_hashed(email: str) -> list[bytes]:
    """With each key of the ring."""
    return [address_hash(email, kid) for kid, _ in settings.TOKEN_KEYS]


@transaction.atomic
def suppress(
    email: str, reason: Reason, scope: Suppression.Scope, detail: str = "", expires_at: datetime | None = None
) -> bool:
    """Send no more to this address. Gives whether that is new: what lasts is not made shorter."""
    if not email:
        return False
    key, values = address_hash(email), {"reason": reason, "detail": detail[:200], "expires_at": expires_at}
    row = Suppression(id=uuid7(), address_hash=key, email=email_key(email)[:254], scope=scope, **values)
    Suppression.objects.bulk_create([row], ignore_conflicts=True)
    found = Suppression.objects.select_for_update().get(address_hash=key, scope=scope)
    if found.id != row.id:
        lasts = found.expires_at is None or (expires_at is not None and expires_at <= found.expires_at)
        if lasts:
            return False
        Suppression.objects.filter(pk=found.pk).update(email=row.email, **values)
    record(
        catalog.ADDRESS_SUPPRESSED,
        subject=("suppression", found.id),
        data={"reason": str(reason), "scope": str(scope)},
    )
    return True


def suppressions() -> QuerySet[Suppression]:
    """Those that count, newest first."""
    return Suppression.objects.filter(_in_time()).order_by("-id")


def suppressions_of(email: str) -> list[Suppression]:
    """What keeps mail from this address now; at most one for each scope and key."""
    return list(suppressions().filter(address_hash__in=addresses_hashed(email))) if email else []


@transaction.atomic
def suppression_lift(suppression_id: UUID) -> None:
    """Send to this address again. Raises ``not_found``."""
    if not _lift(Suppression.objects.filter(id=suppression_id)):
        raise PlatformError(NOT_FOUND)


@transaction.atomic
def subscribe(email: str) -> bool:
    """Take back that this address wants nothing optional. Gives whether it did."""
    return _lift(Suppression.objects.filter(address_hash__in=addresses_hashed(email), scope=OPTIONAL))


def _lift(rows: QuerySet[Suppression]) -> bool:
    """Gives whether anything stood against them. What was refused before counts no more."""
    found = list(rows.select_for_update())
    for row in found:
        if row.scope == ALL:
            SoftBounce.objects.filter(address_hash=row.address_hash).delete()
        record(
            catalog.SUPPRESSION_LIFTED,
            subject=("suppression", row.id),
            data={"reason": row.reason, "scope": row.scope},
        )
        row.delete()
    return bool(found)


def _in_time() -> Q:
    return Q(expires_at=None) | Q(expires_at__gt=working_now())


def is_suppressed(email: str, *, optional: bool) -> bool:
    """Whether this address gets none; ``optional`` mail is kept from more of them than what is mandatory."""
    found = list(Suppression.objects.filter(_in_time(), address_hash__in=addresses_hashed(email)))
    current = address_hash(email)
    for row in found:
        if bytes(row.address_hash) != current:
            _renew(row, current)
    return any(row.scope == ALL or optional for row in found)


def _renew(row: Suppression, current: bytes) -> None:
    """Found by an older key: from now on by the current one, so that it is found when the old one is gone."""
    if not Suppression.objects.filter(address_hash=current, scope=row.scope).exists():
        Suppression.objects.filter(pk=row.pk).update(address_hash=current)


def refused_for_good(email: str) -> None:
    """A mail server said that there is no such address."""
    suppress(email, Reason.HARD_BOUNCE, ALL, "refused by the mail server")


@transaction.atomic
def soft_bounced(email: str, at: datetime) -> bool:
    """It refused a mail for now. Gives whether that was once too often."""
    if not email:
        return False
    SoftBounce.objects.create(id=uuid7(), address_hash=address_hash(email), at=at)
    recent = SoftBounce.objects.filter(address_hash__in=addresses_hashed(email), at__gt=at - SOFT_WINDOW, at__lte=at)
    if recent.count() < SOFT_BOUNCES:
        return False
    return suppress(email, Reason.SOFT_BOUNCE, ALL, f"{SOFT_BOUNCES} within a week", at + SOFT_PAUSE)


def forget_addresses() -> None:
    """Keep only the hash of addresses that are nobody's any more.

    Who was erased has no address by now, so it is found by what is left over.
    """
    theirs = User.objects.values("email_key")
    Suppression.objects.exclude(email="").exclude(email__in=theirs).update(email="")


def suppressions_by_key() -> Counter[str]:
    """How many there are under each key of the ring, of those whose address is known; "" stands for no key of it."""
    counted: Counter[str] = Counter()
    for email, stored in _with_address().values_list("email", "address_hash").iterator(chunk_size=1000):
        by_hash = {address_hash(email, kid): kid for kid, _ in settings.TOKEN_KEYS}
        counted[by_hash.get(bytes(stored), "")] += 1
    return counted


def suppressions_renew() -> int:
    """Write the hashes of those whose address is known anew, with the current key. Gives how many.

    Of who was erased only the hash is left, so it ends with the key that made it.
    """
    changed = 0
    for row in _with_address().iterator(chunk_size=1000):
        current = address_hash(row.email)
        if bytes(row.address_hash) != current:
            _move(row, current)
            changed += 1
    return changed


@transaction.atomic
def _move(row: Suppression, current: bytes) -> None:
    """To the current hash; where the address came in again under that one, the two become the one that lasts."""
    pair = Suppression.objects.select_for_update().filter(Q(pk=row.pk) | Q(address_hash=current, scope=row.scope))
    found = {bytes(one.address_hash): one for one in pair.order_by("id")}
    old, new = found.get(bytes(row.address_hash)), found.get(current)
    if old is None:
        return
    if new is None:
        Suppression.objects.filter(pk=old.pk).update(address_hash=current)
        return
    if new.expires_at is not None and (old.expires_at is None or old.expires_at > new.expires_at):
        lasting = {"reason": old.reason, "detail": old.detail, "expires_at": old.expires_at}
        Suppression.objects.filter(pk=new.pk).update(**lasting)
    old.delete()


def _with_address() -> QuerySet[Suppression]:
    return Suppression.objects.filter(_in_time()).exclude(email="")
