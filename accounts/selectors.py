"""Reading people, inside the bound tenant."""

from collections.abc import Sequence
from functools import cache

from django.db import connection

from accounts.models import CustomProfile, User
from accounts.models.profile import profile_refs
from accounts.profiles import LAST_SYSTEM_ID
from platform_site.errors import NOT_FOUND, PlatformError


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
