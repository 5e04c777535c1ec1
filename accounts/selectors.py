"""Reading people, inside the bound tenant."""

from accounts.models import User
from platform_site.errors import NOT_FOUND, PlatformError


def user_get(*, user_id: int) -> User:
    """The person with this number who has not been erased; raises ``not_found``."""
    user = User.objects.filter(pk=user_id).exclude(status=User.Status.ERASED).first()
    if user is None:
        raise PlatformError(NOT_FOUND)
    return user
