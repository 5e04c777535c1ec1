"""Reading people, inside the bound tenant."""

import unicodedata
from collections.abc import Sequence
from functools import cache
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from accounts import errors
from accounts.models import CustomProfile, User
from accounts.models.profile import profile_refs
from accounts.profiles import LAST_SYSTEM_ID, SYSTEM_PROFILES
from platform_site.errors import NOT_FOUND, PlatformError

PRESENT = (User.Status.ACTIVE, User.Status.INACTIVE, User.Status.PENDING)


def user_get(*, user_id: int) -> User:
    """The person with this number who has not been erased; raises ``not_found``.

    Every second request asks this. Django takes longer to put such a query together than
    PostgreSQL to answer it, so the text is made once.
    """
    columns, sql = _by_id()
    with connection.cursor() as cursor:
        cursor.execute(sql, [user_id, User.Status.ERASED])
        row = cursor.fetchone()
    if row is None:
        raise PlatformError(NOT_FOUND)
    return User.from_db(connection.alias, columns, row)


@cache
def _by_id() -> tuple[list[str], str]:
    # What no user object shows is left out: it is read only when somebody touches it.
    fields = [field for field in User._meta.concrete_fields if field.name not in {"preferences", "search_text"}]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    sql = f"SELECT {columns} FROM accounts_user WHERE id = %s AND status <> %s"  # noqa: S608 - columns of the model
    return [field.attname for field in fields], sql


def with_profiles(people: Sequence[User]) -> Sequence[User]:
    """The same people, each knowing the profile's name: one query at most for all of them."""
    refs = profile_refs(person.profile_id for person in people)
    for person in people:
        person.profile = refs[person.profile_id]
    return people


def custom_permissions(profile_id: int) -> tuple[int, ...]:
    """The permission numbers of a tenant's own profile, sorted; none for a system profile, whose are code."""
    if profile_id <= LAST_SYSTEM_ID:
        return ()
    numbers = CustomProfile.objects.filter(id=profile_id, is_active=True).values_list("permissions", flat=True).first()
    return tuple(sorted(numbers or ()))


def profile_is_active(profile_id: int) -> bool:
    """Whether somebody can be given this profile."""
    if profile_id <= LAST_SYSTEM_ID:
        return profile_id in SYSTEM_PROFILES
    return CustomProfile.objects.filter(id=profile_id, is_active=True).exists()


def user_find(ref: int | UUID, *, lock: bool = False) -> User:
    """The person with this number or UUID; raises ``not_found``, and ``user_erased`` for a tombstone.

    ``lock``: until the caller's transaction ends. Rows that point to the person stay free.
    """
    rows = User.objects.all()
    if lock:
        rows = rows.select_for_update(of=("self",), no_key=True)
    user = rows.filter(**({"uuid": ref} if isinstance(ref, UUID) else {"id": ref})).first()
    if user is None:
        raise PlatformError(NOT_FOUND)
    if user.status == User.Status.ERASED:
        raise PlatformError(errors.USER_ERASED)
    return user


def people(*, status: str = "", search: str = "") -> QuerySet[User]:
    """People of the bound tenant, newest first. ``status`` "" and "all" leave out whoever was erased.

    Every word of ``search`` must occur somewhere in the names or the address,
    in any case of the letters.
    """
    rows = User.objects.defer("preferences", "search_text").order_by("-id")
    # Not "everything but erased": these are found, and counted, in the index user_list alone.
    rows = rows.filter(status__in=[status] if status and status != "all" else PRESENT)
    for word in search_words(search):
        rows = rows.filter(search_text__contains=word)
    return rows


def search_words(search: str) -> list[str]:
    """The words to look for, as they are stored: NFKC and in lower case, the longest first."""
    words = unicodedata.normalize("NFKC", search).lower().split()
    return sorted(dict.fromkeys(words), key=len, reverse=True)
