"""Tables of a tenant's schema: people and what opens doors for them."""

from accounts.models.api_key import ApiKey
from accounts.models.avatar import Avatar
from accounts.models.link import LinkToken
from accounts.models.profile import CustomProfile
from accounts.models.second_factor import SecondFactor
from accounts.models.session import Session
from accounts.models.user import User

__all__ = ["ApiKey", "Avatar", "CustomProfile", "LinkToken", "SecondFactor", "Session", "User"]
