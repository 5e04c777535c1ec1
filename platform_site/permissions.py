"""The permission catalogue: code, not rows, with the same small numbers in every tenant."""

from dataclasses import dataclass

from platform_site.catalog import Catalog, DuplicateEntry

ROLE_RANKS = {"user": 1, "manager": 2, "tenant_admin": 3}


@dataclass(frozen=True, slots=True)
class Permission:
    """``number`` is its id on the wire and is never given to another; ``min_role`` is the lowest that may hold it."""

    key: str
    number: int
    module: str
    label: str
    min_role: str = "user"


permissions: Catalog[Permission] = Catalog("permissions")


def permission(key: str, number: int, label: str, *, min_role: str = "user") -> Permission:
    """Declare a permission; its module is the part of ``key`` before the dot."""
    if any(other.number == number for other in permissions):
        raise DuplicateEntry(f"permission number {number} is taken.")
    return permissions.add(Permission(key, number, key.partition(".")[0], label, min_role))
