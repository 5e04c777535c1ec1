"""Which profiles somebody may give to people."""

from dataclasses import dataclass

from accounts.models import CustomProfile
from accounts.profiles import SYSTEM_PROFILES, effective_permissions
from accounts.role_rules import reach_of
from platform_site.api.identity import Identity


@dataclass(frozen=True, slots=True)
class AssignableProfile:
    id: int
    name: str
    description: str
    is_system: bool


def profiles_assignable(actor: Identity) -> list[AssignableProfile]:
    """Active profiles that the actor may give in at least one role that the actor may give. One query."""
    roles = reach_of(actor).gives
    found: list[tuple[AssignableProfile, tuple[int, ...]]] = [
        (AssignableProfile(one.id, one.name, "", True), ()) for one in SYSTEM_PROFILES.values()
    ]
    found += [
        (AssignableProfile(one.id, one.name, one.description, False), tuple(sorted(one.permissions)))
        for one in CustomProfile.objects.filter(is_active=True).order_by("name_key")
    ]
    return [
        profile
        for profile, numbers in found
        if any(effective_permissions(role, profile.id, numbers) <= actor.permissions for role in roles)
    ]
