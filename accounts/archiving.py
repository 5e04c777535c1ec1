"""What coming back from a backup means for doors, and for whoever was erased since."""

from collections.abc import Collection
from uuid import UUID

from django.utils import timezone

from accounts.models import ApiKey, LinkToken, Session
from accounts.services.erasure import user_erase_again
from platform_site.archiving import AfterLoading, ErasureReplay, after_loading, erasure_replays


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


after_loading.add(AfterLoading("accounts.doors", _close_doors, look=_live_keys))
erasure_replays.add(ErasureReplay("user", user_erase_again))
