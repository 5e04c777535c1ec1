"""The four system profiles, as code: the same numbers and rights in every tenant."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from accounts.roles import Role
from platform_site.permissions import ROLE_RANKS, Permission, permissions


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


@lru_cache(maxsize=64)
def effective_permissions(role: str, profile_id: int) -> frozenset[str]:
    """What somebody may do: the profile's permissions, cut to what the role may hold.

    A ``tenant_admin`` has all of them whatever the profile says, so that nobody
    can lock a tenant's last administrator out.
    """
    if role == Role.TENANT_ADMIN:
        return frozenset(permission.key for permission in permissions)
    profile = SYSTEM_PROFILES.get(profile_id)
    if profile is None:
        return frozenset()
    return frozenset(
        permission.key
        for permission in permissions
        if profile.grants(permission) and ROLE_RANKS[permission.min_role] <= ROLE_RANKS[role]
    )
