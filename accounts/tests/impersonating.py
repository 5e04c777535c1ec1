"""Staff who sign in as somebody, made by the product's own services."""

from typing import Any

from accounts.staff.impersonation import impersonation_code_make
from accounts.staff.models import StaffUser
from accounts.staff.roles import StaffRole
from accounts.staff.services import session_open
from tests.support import Api, data

REASON = "Ticket 4711: the invoice page stays empty"


def staff_member(name: str = "nora", role: StaffRole = StaffRole.SUPPORT) -> StaffUser:
    address = f"{name}@platform.test"
    found = StaffUser.objects.filter(email=address).first()
    if found is not None:
        return found
    return StaffUser.objects.create_user(
        address, address, "a long walk by the sea", first_name=name.title(), last_name="New", role=role, is_staff=True
    )


def code_for(somebody: Api, staff: StaffUser | None = None) -> str:
    """A code to sign in as this person, in a staff session that is opened for it."""
    staff = staff or staff_member()
    session_open(staff=staff, tenant_id=somebody.tenant.id, reason=REASON)
    return code_in_session(somebody, staff)


def code_in_session(somebody: Api, staff: StaffUser) -> str:
    made = impersonation_code_make(staff=staff, tenant_id=somebody.tenant.id, user_id=somebody.user.uuid, reason=REASON)
    return made.text


def exchanged(code: str) -> Any:
    return data(Api().post("/auth/impersonate", {"code": code}))


def impersonating(somebody: Api, staff: StaffUser | None = None) -> Api:
    """Support, signed in as this person."""
    support = Api(token=exchanged(code_for(somebody, staff))["accessToken"])
    support.user, support.tenant = somebody.user, somebody.tenant
    return support
