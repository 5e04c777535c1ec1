"""What of the admin a staff member sees: by role, and by nothing else.

Django's permissions of single models are not asked. A page says which role it takes; whoever has that role, or
one above it, may.
"""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.staff.models import StaffUser
from accounts.staff.roles import StaffRole


def staff_of(request: HttpRequest) -> StaffUser:
    """Who asks; raises ``PermissionDenied`` for anybody who is not staff."""
    user = request.user
    if not isinstance(user, StaffUser) or not user.is_active:
        raise PermissionDenied
    return user


def reaches(request: HttpRequest, needed: StaffRole) -> bool:
    user = request.user
    return isinstance(user, StaffUser) and user.reaches(needed)


def need(request: HttpRequest, needed: StaffRole) -> StaffUser:
    """Who asks; raises ``PermissionDenied`` for a role that is not enough."""
    staff = staff_of(request)
    if not staff.reaches(needed):
        raise PermissionDenied
    return staff


def is_superuser(request: HttpRequest) -> bool:
    """For the sidebar, which asks by a function of the request."""
    return reaches(request, StaffRole.SUPERUSER)
