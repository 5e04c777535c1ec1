"""The last active administrator stays one, however many try to change that at once."""

from accounts import errors
from accounts.models import User
from accounts.roles import Role
from platform_site.errors import PlatformError


def administrators_lock() -> set[int]:
    """The numbers of all active administrators, locked until the caller's transaction ends.

    In one order for everybody, so that two who lock them wait for each other and
    do not block each other. Whoever waited sees what the other one did.
    """
    rows = User.objects.select_for_update(of=("self",), no_key=True).filter(
        role=Role.TENANT_ADMIN, status=User.Status.ACTIVE
    )
    return set(rows.order_by("id").values_list("id", flat=True))


def keep_an_administrator(user: User) -> None:
    """Raises ``last_admin`` when the tenant would be without one if this person stopped being one."""
    if user.role != Role.TENANT_ADMIN or user.status != User.Status.ACTIVE:
        return
    if administrators_lock() <= {user.id}:
        raise PlatformError(errors.LAST_ADMIN)
