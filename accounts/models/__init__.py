"""Tables of a tenant's schema: people, their sessions, and links that were mailed to them."""

from accounts.models.link import LinkToken
from accounts.models.session import Session
from accounts.models.user import User

__all__ = ["LinkToken", "Session", "User"]
