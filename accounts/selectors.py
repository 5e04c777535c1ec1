"""Reading people, inside the bound tenant."""

from functools import cache

from django.db import connection

from accounts.models import User
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
    fields = User._meta.concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    sql = f"SELECT {columns} FROM accounts_user WHERE id = %s AND status <> %s"  # noqa: S608 - columns of the model
    return [field.attname for field in fields], sql
