"""Making people. Invitations and editing come with the users' endpoints."""

from datetime import datetime

from accounts.emails import email_display, email_key
from accounts.models import User
from accounts.profiles import DEFAULT_PROFILE
from accounts.roles import Role


def user_create(
    *,
    email: str,
    first_name: str = "",
    last_name: str = "",
    role: Role = Role.USER,
    profile_id: int | None = None,
    password: str = "",
    status: User.Status = User.Status.ACTIVE,
    verified_at: datetime | None = None,
) -> User:
    """A person in the bound tenant. ``password`` is a hash (``password_hash``) or empty for none."""
    return User.objects.create(
        email=email_display(email),
        email_key=email_key(email),
        first_name=first_name,
        last_name=last_name,
        role=role,
        profile_id=profile_id or DEFAULT_PROFILE[role].id,
        password=password,
        status=status,
        email_verified_at=verified_at,
    )
