"""Who may do what to whom: the one table of roles, for functions, people and fields.

Rank alone never suffices: a view asks for a permission first, and what it gives
away is cut to what the giver has.
"""

from dataclasses import dataclass

from accounts import errors
from accounts.models import User
from accounts.profiles import effective_permissions
from accounts.roles import Role
from accounts.selectors import custom_permissions, profile_is_active
from platform_site.api.identity import Identity
from platform_site.errors import PERMISSION_DENIED, PlatformError, invalid_field


@dataclass(frozen=True, slots=True)
class Reach:
    """Which roles a role may touch, and which it may give."""

    touches: frozenset[Role]
    gives: frozenset[Role]


EVERYBODY = frozenset(Role)
REACH = {
    Role.TENANT_ADMIN: Reach(touches=EVERYBODY, gives=EVERYBODY),
    Role.MANAGER: Reach(touches=frozenset({Role.USER}), gives=frozenset({Role.USER})),
    Role.USER: Reach(touches=frozenset(), gives=frozenset()),
}


def reach_of(actor: Identity) -> Reach:
    return REACH[Role(actor.role)]


def may_touch(actor: Identity, user: User) -> None:
    """Raises ``cannot_modify_superior`` for somebody out of the actor's reach. Oneself is never out of reach."""
    if user.uuid != actor.user_uuid and Role(user.role) not in reach_of(actor).touches:
        raise PlatformError(errors.CANNOT_MODIFY_SUPERIOR)


def may_give_role(actor: Identity, role: Role) -> None:
    """Raises ``role_not_assignable``."""
    if role not in reach_of(actor).gives:
        raise invalid_field("role", errors.ROLE_NOT_ASSIGNABLE)


def may_give_profile(actor: Identity, role: Role, profile_id: int) -> None:
    """Raises ``profile_not_found`` for what is not there or not active, ``profile_not_assignable`` for too much.

    Compared is what the profile is worth in ``role``: whoever gives it must have all of it.
    """
    if not profile_is_active(profile_id):
        raise invalid_field("profileId", errors.PROFILE_NOT_FOUND)
    worth = effective_permissions(role, profile_id, custom_permissions(profile_id))
    if not worth <= actor.permissions:
        raise invalid_field("profileId", errors.PROFILE_NOT_ASSIGNABLE)


def only_administrators(actor: Identity) -> None:
    """For what the permission alone does not open. Raises ``permission_denied``."""
    if actor.role != Role.TENANT_ADMIN:
        raise PlatformError(PERMISSION_DENIED)
