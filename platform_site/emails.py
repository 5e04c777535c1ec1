"""Addresses that operators type."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from platform_site.errors import VALIDATION_FAILED, invalid_field


def require_address(text: str) -> str:
    """The address without blanks around it; raises ``validation_failed`` for what is none."""
    address = text.strip()
    try:
        validate_email(address)
    except ValidationError:
        raise invalid_field("email", VALIDATION_FAILED, f"{address!r} is no e-mail address.") from None
    return address
