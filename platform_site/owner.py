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


def may_be_owner() -> bool:
    """Whether this process can be the owner of the tables: it has the owner's sign-in, or its own role is the owner."""
    if settings.DATABASE_OWNER:
        return True
    with connection.cursor() as cursor:
        # The owner of public's tables is the owner of the tenants', too.
        cursor.execute("SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'django_migrations'::regclass")
        return bool(cursor.fetchone()[0])


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
