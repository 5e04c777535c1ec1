"""Staff of every role, and their browsers."""

from django.test import Client

from accounts.staff.models import StaffUser
from accounts.staff.roles import StaffRole

STAFF_PASSWORD = "a long walk by the sea"


def staff_of(role: StaffRole, name: str = "") -> StaffUser:
    email = f"{name or role}@platform.test"
    staff: StaffUser = StaffUser.objects.create_user(email, email, STAFF_PASSWORD, is_staff=True, role=role)
    return staff


def browser_of(staff: StaffUser) -> Client:
    browser = Client()
    browser.force_login(staff)
    return browser
