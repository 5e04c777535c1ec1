"""A tenant's own permission profiles: making, changing and retiring them.

What a change gives or takes counts for everybody who has the profile at their
next request: it makes all sessions of the tenant look again.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F

from accounts import catalog, errors
from accounts.models import CustomProfile, User
from accounts.profiles import LAST_SYSTEM_ID, SYSTEM_PROFILES
from accounts.role_rules import may_give_profile
from accounts.roles import Role
from accounts.seats import HOLDING
from accounts.selectors import profile_is_active
from platform_site import session_cache
from platform_site.api.identity import Identity
from platform_site.binding import require_tenant
from platform_site.errors import (
    NOT_FOUND,
    PRECONDITION_FAILED,
    STALE_VERSION,
    VALIDATION_FAILED,
    ErrorCode,
    FieldError,
    PlatformError,
    invalid_field,
)
from platform_site.journal.services import record
from platform_site.permissions import permissions

MOST = 50
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class ProfileChanges:
    """What is to change; what is None stays."""

    name: str | None = None
    description: str | None = None
    permissions: Sequence[int] | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """The version that the caller has seen: from the body, or from ``If-Match``."""

    version: int | None = None
    if_match: str = ""


ANY_VERSION = Expected()


@transaction.atomic
def profile_create(
    *, actor: Identity, name: str, permission_numbers: Sequence[int], description: str = ""
) -> CustomProfile:
    """A profile with these permissions. Its number is never given to another.

    Raises ``unknown_permission``, ``permission_not_grantable``,
    ``profile_name_taken`` or, beyond 50, ``profile_limit_reached``.
    """
    numbers = _grantable(actor, permission_numbers)
    # Numbers and the limit are decided one at a time.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"profiles:{require_tenant().id.hex}"])
    ids = list(CustomProfile.objects.values_list("id", flat=True))
    if len(ids) >= MOST:
        raise PlatformError(errors.PROFILE_LIMIT_REACHED, context={"limit": MOST})
    profile = CustomProfile(
        id=max([LAST_SYSTEM_ID, *ids]) + 1, description=description, permissions=numbers, **_named(name)
    )
    try:
        with transaction.atomic():
            profile.save(force_insert=True)
    except IntegrityError:
        raise invalid_field("name", errors.PROFILE_NAME_TAKEN) from None
    profile.refresh_from_db(fields=["created_at"])
    record(catalog.PROFILE_CREATED, subject=("profile", profile.id), data={"after": _facts(profile)})
    return profile


@transaction.atomic
def profile_update(
    *, actor: Identity, profile_id: int, changes: ProfileChanges, expected: Expected = ANY_VERSION
) -> CustomProfile:
    """Change a profile. Raises ``not_found``, ``system_profile_immutable``, ``stale_version``,
    ``precondition_failed``, ``unknown_permission``, ``permission_not_grantable`` or ``profile_name_taken``.
    """
    profile = _locked(profile_id, expected)
    before = _facts(profile)
    if changes.name is not None:
        for field, value in _named(changes.name).items():
            setattr(profile, field, value)
    if changes.description is not None:
        profile.description = changes.description
    if changes.permissions is not None:
        profile.permissions = _grantable(actor, changes.permissions, there=profile.permissions)
    after = _facts(profile)
    if before == after:
        return profile
    _save(profile)
    changed = [name for name in before if before[name] != after[name]]
    record(
        catalog.PROFILE_UPDATED,
        subject=("profile", profile.id),
        data={
            "before": {name: before[name] for name in changed},
            "after": {name: after[name] for name in changed},
        },
    )
    return profile


@transaction.atomic
def profile_deactivate(
    *, actor: Identity, profile_id: int, reassign_to: int | None = None, expected: Expected = ANY_VERSION
) -> CustomProfile:
    """Retire a profile: nobody can be given it any more. Of a retired one nothing changes.

    Raises ``profile_in_use`` while people have it, unless ``reassign_to`` names
    the active profile that they get; ``profile_not_found`` when it does not,
    ``profile_not_assignable`` when it is worth more than the actor has.
    """
    profile = _locked(profile_id, expected)
    if not profile.is_active:
        return profile
    if reassign_to is not None and (reassign_to == profile_id or not profile_is_active(reassign_to)):
        raise invalid_field("reassignTo", errors.PROFILE_NOT_FOUND)
    profile.is_active = False
    _save(profile)
    holders = User.objects.filter(profile_id=profile_id, status__in=HOLDING)
    count = holders.count()
    if count and reassign_to is None:
        raise PlatformError(errors.PROFILE_IN_USE, context={"userCount": count})
    if reassign_to is not None:
        # Also those who are out: they must not come back with a profile that is retired.
        people = User.objects.filter(profile_id=profile_id).exclude(status=User.Status.ERASED)
        for role in set(people.values_list("role", flat=True)):
            _may_reassign(actor, Role(role), reassign_to)
        people.update(profile_id=reassign_to)
    record(
        catalog.PROFILE_DEACTIVATED,
        subject=("profile", profile.id),
        data={"reassignedTo": reassign_to, "people": count},
    )
    return profile


@transaction.atomic
def profile_activate(*, profile_id: int) -> CustomProfile:
    """Let a retired profile be given again. Of an active one nothing changes."""
    profile = _locked(profile_id, ANY_VERSION)
    if not profile.is_active:
        profile.is_active = True
        _save(profile)
        record(catalog.PROFILE_ACTIVATED, subject=("profile", profile.id))
    return profile


def _locked(profile_id: int, expected: Expected) -> CustomProfile:
    if profile_id in SYSTEM_PROFILES:
        raise PlatformError(errors.SYSTEM_PROFILE_IMMUTABLE)
    profile = CustomProfile.objects.select_for_update().filter(id=profile_id).first()
    if profile is None:
        raise PlatformError(NOT_FOUND)
    seen = {tag.strip() for tag in expected.if_match.split(",")}
    if expected.if_match and not seen & {"*", etag(profile)}:
        raise PlatformError(PRECONDITION_FAILED, context={"version": profile.version})
    if expected.version is not None and expected.version != profile.version:
        raise PlatformError(STALE_VERSION, context={"version": profile.version})
    return profile


def etag(profile: CustomProfile) -> str:
    return f'"{profile.version}"'


def _save(profile: CustomProfile) -> None:
    profile.version = F("version") + 1
    try:
        with transaction.atomic():
            profile.save()
    except IntegrityError:
        raise invalid_field("name", errors.PROFILE_NAME_TAKEN) from None
    profile.refresh_from_db()
    session_cache.forget_tenant(require_tenant().id)


def _named(name: str) -> dict[str, str]:
    """The name as its columns. A system profile's name is taken, too."""
    shown = unicodedata.normalize("NFKC", name).strip()
    key = shown.lower()
    if max(len(shown), len(key)) > LONGEST_NAME:
        # Some letters become several, so what was short enough when it came may not be any more.
        message = f"Use at most {LONGEST_NAME} characters."
        raise PlatformError(VALIDATION_FAILED, details=[FieldError("name", "max_length", message)])
    if key in {one.name.lower() for one in SYSTEM_PROFILES.values()}:
        raise invalid_field("name", errors.PROFILE_NAME_TAKEN)
    return {"name": shown, "name_key": key}


def _grantable(actor: Identity, numbers: Sequence[int], *, there: Sequence[int] = ()) -> list[int]:
    """The numbers sorted, each once. Nobody gives what they do not have: an API key may hold little else than this.

    What is ``there`` already is not given by the actor.
    """
    catalogue = {permission.number: permission.key for permission in permissions}
    unknown = [place for place, number in enumerate(numbers) if number not in catalogue]
    if unknown:
        code = errors.UNKNOWN_PERMISSION
        raise _refused(code, unknown, code.message)
    beyond = [
        place
        for place, number in enumerate(numbers)
        if number not in there and catalogue[number] not in actor.permissions
    ]
    if beyond:
        raise _refused(errors.PERMISSION_NOT_GRANTABLE, beyond, "You do not have this permission yourself.")
    return sorted(set(numbers))


def _refused(code: ErrorCode, places: Sequence[int], message: str) -> PlatformError:
    return PlatformError(
        code, message, details=[FieldError(f"permissions.{place}", code.key, message) for place in places]
    )


def _may_reassign(actor: Identity, role: Role, profile_id: int) -> None:
    try:
        may_give_profile(actor, role, profile_id)
    except PlatformError as error:
        raise invalid_field("reassignTo", error.code) from None


def _facts(profile: CustomProfile) -> dict[str, Any]:
    return {
        "name": profile.name,
        "description": profile.description,
        "permissions": list(profile.permissions),
    }
