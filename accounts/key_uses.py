"""What of the bound tenant's people is stored under which key of ``TOKEN_KEYS``."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet
from django.utils import timezone

from accounts.avatars import parse_avatar_token, signed_by
from accounts.directory.models import DirectoryEntry
from accounts.models import ApiKey, Avatar, LinkToken, Session
from platform_site.binding import require_tenant


def sessions_by_key() -> Mapping[str, int]:
    """Sessions that live: their refresh tokens."""
    now = timezone.now()
    return _counted(Session.objects.filter(revoked_at=None, idle_expires_at__gt=now, absolute_expires_at__gt=now))


def links_by_key() -> Mapping[str, int]:
    """Mailed links that still open something."""
    return _counted(LinkToken.objects.filter(used_at=None, superseded_at=None, expires_at__gt=timezone.now()))


def api_keys_by_key() -> Mapping[str, int]:
    return _counted(ApiKey.objects.filter(revoked_at=None))


def directory_by_key() -> Mapping[str, int]:
    """The tenant's rows of the directory of people."""
    return _counted(DirectoryEntry.objects.filter(tenant_id=require_tenant().id))


def pictures_by_key() -> Mapping[str, int]:
    """Addresses of pictures, by the key that signed them."""
    addresses = Avatar.objects.exclude(user__avatar_url="").values_list("user__avatar_url", flat=True)
    return Counter(_signer(address) for address in addresses.iterator(chunk_size=1000))


def _signer(address: str) -> str:
    token = address.rpartition("/")[2].removesuffix(".webp")
    if parse_avatar_token(token) is None:
        return ""
    return next(kid for kid, _ in settings.TOKEN_KEYS if signed_by(kid, token))


def _counted(rows: "QuerySet[Any]") -> Mapping[str, int]:
    return dict(rows.order_by().values("key_id").annotate(number=Count("*")).values_list("key_id", "number"))


def session_seconds() -> int:
    """How long a session lives at most without a refresh, which moves it to the first key."""
    return int(settings.SESSION_IDLE_SECONDS)


def link_seconds() -> int:
    return int(max(settings.VERIFY_EMAIL_SECONDS, settings.RESET_PASSWORD_SECONDS, settings.INVITATION_SECONDS))
