"""What coming back from a backup, and moving, mean for doors and keys."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import ApiKey, LinkToken, SecondFactor, Session
from accounts.services.avatars import avatar_addresses_renew
from accounts.services.erasure import user_erase_again
from accounts.services.second_factor import place
from platform_site.archiving import (
    AfterImport,
    AfterRestore,
    ErasureReplay,
    SealedColumn,
    after_import,
    after_restore,
    erasure_replays,
    sealed_columns,
)


def _live_keys() -> set[UUID]:
    return set(ApiKey.objects.filter(revoked_at=None).values_list("id", flat=True))


def _close_doors(live_keys: Collection[UUID] | None) -> None:
    """A backup knows nothing of what was closed since: no session, used link or revoked key may open again."""
    now = timezone.now()
    Session.objects.filter(revoked_at=None).update(revoked_at=now, revoke_reason="tenant_restored")
    resets = LinkToken.objects.filter(kind=LinkToken.Kind.RESET_PASSWORD, used_at=None, superseded_at=None)
    resets.update(superseded_at=now)
    if live_keys is not None:
        ApiKey.objects.filter(revoked_at=None).exclude(id__in=live_keys).update(revoked_at=now)


def _renew_addresses() -> None:
    avatar_addresses_renew()


def _place(factor: Any) -> str:
    return place(factor.user_id)


sealed_columns.add(SealedColumn(SecondFactor, "sealed_secret", _place))
after_restore.add(AfterRestore("accounts.doors", _close_doors, look=_live_keys))
after_import.add(AfterImport("accounts.avatars", _renew_addresses))
erasure_replays.add(ErasureReplay("user", user_erase_again))
