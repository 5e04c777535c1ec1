"""Pictures of people: stored, taken away, found by their public address."""

from uuid import uuid4

from accounts.avatars import avatar_address, parse_avatar_token
from accounts.models import Avatar, User
from platform_site.binding import bind, require_tenant
from platform_site.errors import NOT_FOUND, PlatformError
from platform_site.tenants import ACTIVE, find_tenant


def avatar_get(*, token: str) -> Avatar:
    """The picture behind a token of its address. Raises ``not_found``, also when its tenant is suspended."""
    parsed = parse_avatar_token(token)
    tenant = find_tenant(id=parsed[0]) if parsed else None
    if parsed is None or tenant is None or tenant.status != ACTIVE:
        raise PlatformError(NOT_FOUND)
    with bind(tenant):
        avatar = Avatar.objects.filter(id=parsed[1]).first()
    if avatar is None:
        raise PlatformError(NOT_FOUND)
    return avatar


def avatar_store(*, user: User, image: bytes) -> str:
    """Make ``image`` the person's only picture and give its address. Inside the caller's transaction."""
    avatar_remove(user=user)
    avatar = Avatar.objects.create(user=user, id=uuid4(), image=image)
    return avatar_address(require_tenant().id, avatar.id)


def avatar_remove(*, user: User) -> None:
    """Leave no picture of the person. Inside the caller's transaction, which also empties ``avatar_url``."""
    Avatar.objects.filter(user=user).delete()


def avatar_addresses_renew() -> tuple[int, int]:
    """Write the bound tenant's addresses anew, after the platform's own address or keys changed.

    Gives how many pictures there are and how many addresses were not as they should be.
    """
    tenant, count, changed = require_tenant(), 0, 0
    for user_id, avatar_id in Avatar.objects.values_list("user_id", "id").iterator(chunk_size=1000):
        address = avatar_address(tenant.id, avatar_id)
        # Only while the person has this picture: a new one may come in between.
        rows = User.objects.filter(pk=user_id, avatar__id=avatar_id).exclude(avatar_url=address)
        changed += rows.update(avatar_url=address)
        count += 1
    return count, changed
