"""Who may change something through the lens."""

from django.http import HttpRequest

from accounts.staff.models import StaffSession
from accounts.staff.rights import reaches
from accounts.staff.roles import StaffRole


def open_session(request: HttpRequest) -> StaffSession | None:
    """The staff session in which this request may change something: this person's, in this tenant, open now."""
    session: StaffSession | None = getattr(request, "staff_session", None)
    return session if session is not None and reaches(request, StaffRole.SUPPORT) else None
