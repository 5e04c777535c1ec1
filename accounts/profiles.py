"""The four system profiles, as code: the same numbers and rights in every tenant. And what a profile is worth."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from accounts.roles import Role
from platform_site.permissions import ROLE_RANKS, Permission, permissions

# Numbers up to here belong to the system profiles; a tenant's own come behind them (accounts.models.profile).
LAST_SYSTEM_ID = 100


@dataclass(frozen=True, slots=True)
class SystemProfile:
    """``grants`` decides for each permission of the catalogue."""

    id: int
    name: str
    grants: Callable[[Permission], bool]


def _reads(permission: Permission) -> bool:
    return permission.key.endswith(".view")


ADMINISTRATOR = SystemProfile(1, "Administrator", lambda permission: True)
MANAGER = SystemProfile(2, "Manager", lambda permission: ROLE_RANKS[permission.min_role] <= ROLE_RANKS["manager"])
MEMBER = SystemProfile(3, "Member", lambda permission: permission.min_role == "user")
READ_ONLY = SystemProfile(4, "Read only", _reads)

SYSTEM_PROFILES = {profile.id: profile for profile in (ADMINISTRATOR, MANAGER, MEMBER, READ_ONLY)}
DEFAULT_PROFILE = {Role.TENANT_ADMIN: ADMINISTRATOR, Role.MANAGER: MANAGER, Role.USER: MEMBER}


@lru_cache(maxsize=1024)
def effective_permissions(role: str, profile_id: int, custom: tuple[int, ...] = ()) -> frozenset[str]:
    """What somebody may do: the profile's permissions, cut to what the role may hold.

    ``custom`` are the permission numbers of a profile that is not a system one.
    A ``tenant_admin`` has all of them whatever the profile says, so that nobody
    can lock a tenant's last administrator out.
    """
    if role == Role.TENANT_ADMIN:
        return frozenset(permission.key for permission in permissions)
    profile = SYSTEM_PROFILES.get(profile_id)
    return frozenset(
        permission.key
        for permission in permissions
        if (profile.grants(permission) if profile else permission.number in custom)
        and ROLE_RANKS[permission.min_role] <= ROLE_RANKS[role]
    )
