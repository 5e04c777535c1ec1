"""The three roles of a tenant's people."""

from django.db import models


class Role(models.TextChoices):
    """``tenant_admin`` > ``manager`` > ``user``."""

    TENANT_ADMIN = "tenant_admin"
    MANAGER = "manager"
    USER = "user"

    @property
    def rank(self) -> int:
        return _RANKS[self]

    def at_least(self, other: "Role") -> bool:
        return self.rank >= other.rank


_RANKS = {Role.USER: 1, Role.MANAGER: 2, Role.TENANT_ADMIN: 3}
