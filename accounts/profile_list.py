"""Profiles as they are listed: the system's and the tenant's own in one form."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from accounts.models import CustomProfile, User
from accounts.profiles import SYSTEM_PROFILES, SystemProfile
from accounts.seats import HOLDING
from platform_site.errors import NOT_FOUND, PlatformError
from platform_site.permissions import permissions


@dataclass(frozen=True, slots=True)
class ListedProfile:
    """``user_count`` are people who are active or invited. A system profile has no version to change."""

    id: int
    name: str
    description: str
    is_system: bool
    is_active: bool
    user_count: int
    version: int
    permissions: list[int]
    created_at: datetime | None = None
    updated_at: datetime | None = None


_DESCRIPTIONS = {
    1: "Everything that the role may hold.",
    2: "What managers may do.",
    3: "What everybody may do.",
    4: "Looking, and nothing else.",
}


def profiles_listed() -> list[ListedProfile]:
    """System profiles first, then the tenant's own by name. Two queries."""
    counts = dict(_counts(None))
    own = CustomProfile.objects.order_by("name_key")
    return [_system(one, counts.get(one.id, 0)) for one in SYSTEM_PROFILES.values()] + [
        _own(one, counts.get(one.id, 0)) for one in own
    ]


def profile_shown(profile_id: int) -> ListedProfile:
    """One profile; raises ``not_found``."""
    count = dict(_counts(profile_id)).get(profile_id, 0)
    if profile_id in SYSTEM_PROFILES:
        return _system(SYSTEM_PROFILES[profile_id], count)
    profile = CustomProfile.objects.filter(id=profile_id).first()
    if profile is None:
        raise PlatformError(NOT_FOUND)
    return _own(profile, count)


def _counts(profile_id: int | None) -> Iterable[tuple[int, int]]:
    rows = User.objects.filter(status__in=HOLDING)
    if profile_id is not None:
        rows = rows.filter(profile_id=profile_id)
    return rows.values_list("profile_id").annotate(count=Count("id"))


def _system(profile: SystemProfile, count: int) -> ListedProfile:
    granted = [permission.number for permission in permissions if profile.grants(permission)]
    return ListedProfile(profile.id, profile.name, _DESCRIPTIONS[profile.id], True, True, count, 1, sorted(granted))


def _own(profile: CustomProfile, count: int) -> ListedProfile:
    return ListedProfile(
        id=profile.id,
        name=profile.name,
        description=profile.description,
        is_system=False,
        is_active=profile.is_active,
        user_count=count,
        version=profile.version,
        permissions=list(profile.permissions),
        created_at=profile.created_at,
        updated_at=profile.updated_at,
    )
