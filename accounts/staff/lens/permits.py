"""Who may change something through the lens."""

from typing import Any

from django.http import HttpRequest

from accounts.staff.models import StaffSession
from accounts.staff.roles import StaffRole


def open_session(request: HttpRequest) -> StaffSession | None:
    """The staff session in which this request may change something: this person's, in this tenant, open now."""
    session: StaffSession | None = getattr(request, "staff_session", None)
    staff: Any = request.user
    return session if session is not None and staff.reaches(StaffRole.SUPPORT) else None
