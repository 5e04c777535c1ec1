"""People of one tenant."""

from django.db import models
from django.db.models.functions import Now

from accounts.profiles import SYSTEM_PROFILES, SystemProfile
from accounts.roles import Role
from platform_site.fields import Uuid7Field


class User(models.Model):
    """A person in this tenant. ``id`` is the integer ``userId`` on the wire, ``uuid`` is ``id``."""

    class Status(models.TextChoices):
        PENDING = "pending"
        ACTIVE = "active"
        INACTIVE = "inactive"
        ERASED = "erased"

    id: int
    uuid = Uuid7Field(unique=True)
    email = models.CharField(max_length=254)
    # Trimmed, NFKC and lower-cased: what two addresses are compared by.
    email_key = models.CharField(max_length=254, unique=True)
    first_name = models.CharField(max_length=100, blank=True)
    last_name = models.CharField(max_length=100, blank=True)
    role = models.CharField(max_length=20, choices=Role.choices, default=Role.USER)
    profile_id = models.IntegerField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    password = models.CharField(max_length=200, blank=True)
    email_verified_at = models.DateTimeField(null=True)
    avatar_url = models.CharField(max_length=500, blank=True)
    timezone = models.CharField(max_length=64, blank=True)
    locale = models.CharField(max_length=35, blank=True)
    last_sign_in_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"user {self.id}"

    @property
    def display_name(self) -> str:
        """The name to show: first and last, or the address before its @."""
        return f"{self.first_name} {self.last_name}".strip() or self.email.partition("@")[0]

    @property
    def email_verified(self) -> bool:
        return self.email_verified_at is not None

    @property
    def system_profile(self) -> SystemProfile:
        """The profile as code knows it."""
        return SYSTEM_PROFILES[self.profile_id]
