"""Staff accounts. They sign in to the admin and to nothing else; tenants' people are ``accounts.User``."""

from typing import ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models


class StaffUserManager(UserManager):  # type: ignore[type-arg]
    use_in_migrations = False

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "StaffUser":  # type: ignore[override]
        name = email.lower()
        staff: StaffUser = super().create_superuser(username=name, email=name, password=password, **fields)
        return staff


class StaffUser(AbstractUser):
    """Signs in with an e-mail address; ``username`` repeats it, because Django's admin asks for one."""

    email = models.EmailField(unique=True)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[StaffUserManager] = StaffUserManager()

    class Meta:
        verbose_name = "staff member"

    def save(self, *args: object, **kwargs: object) -> None:
        self.email = self.email.lower()
        self.username = self.email
        super().save(*args, **kwargs)  # type: ignore[arg-type]
