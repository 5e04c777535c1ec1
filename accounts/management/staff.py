"""What the commands about staff accounts have in common."""

import sys

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from accounts.staff.models import StaffUser
from platform_site.errors import VALIDATION_FAILED, invalid_field


def password_from_stdin() -> str:
    """The first line of standard input: a command line is seen by everybody on the machine, and kept in a history."""
    return sys.stdin.readline().rstrip("\r\n")


def require_password(password: str, staff: StaffUser) -> None:
    """Raises ``validation_failed`` for one that the admin would refuse, too."""
    try:
        validate_password(password, staff)
    except ValidationError as error:
        raise invalid_field("password", VALIDATION_FAILED, " ".join(error.messages)) from None
