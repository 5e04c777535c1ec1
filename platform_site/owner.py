"""Working as the database's owner: the role that makes and changes tables.

The application's role reads and writes rows and can do nothing else; what changes
the structure is a command, and says so by ``as_owner()``. Where
``DATABASE_OWNER_URL`` is not set there is one role for everything, and nothing
changes here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from platform_site.binding import BindingError, bound_tenant, connection

_WHO = ("USER", "PASSWORD", "HOST", "PORT")


def owner_settings() -> dict[str, Any]:
    """User, password, host and port of the owner; nothing where there is one role for everything."""
    return {name: settings.DATABASE_OWNER[name] for name in _WHO} if settings.DATABASE_OWNER else {}


@contextmanager
def as_owner() -> Iterator[None]:
    """Let this thread's connection be the owner's until the block ends.

    Raises ``BindingError`` inside a transaction or a binding: both belong to the connection that is left.
    Entering it twice is fine.
    """
    owner = owner_settings()
    before = connection.settings_dict
    if not owner or all(before[name] == value for name, value in owner.items()):
        yield
        return
    if connection.in_atomic_block or bound_tenant() is not None:
        raise BindingError("The owner's work begins outside of transactions and tenants.")
    connection.close()
    # A dictionary of its own: the one before is shared by all threads.
    connection.settings_dict = {**before, **owner}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = before


def is_owner() -> bool:
    """Whether this thread's connection may change the structure now. One query."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_has_role(current_user, relowner, 'MEMBER') FROM pg_class"
            " WHERE oid = to_regclass('public.django_migrations')"
        )
        row = cursor.fetchone()
    return bool(row and row[0])
