"""People of one tenant."""

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Value
from django.db.models.functions import Concat, Lower, Now

from accounts.models.profile import ProfileRef, profile_refs
from accounts.roles import Role
from platform_site.fields import JsonField, Uuid7Field


class User(models.Model):
    """A person in this tenant. ``id`` is the integer ``userId`` on the wire, ``uuid`` is ``id``."""

    class Status(models.TextChoices):
        PENDING = "pending"
        ACTIVE = "active"
        INACTIVE = "inactive"
        ERASED = "erased"

    _profile: ProfileRef | None = None

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
    phone = models.CharField(max_length=16, blank=True, db_default="")
    # Keys of the product's own; see services/preferences.py.
    preferences = JsonField(default=dict, db_default={})
    # What a search looks through. The database keeps it, so no write can forget it.
    search_text = models.GeneratedField(
        expression=Lower(Concat("first_name", Value(" "), "last_name", Value(" "), "email")),
        output_field=models.TextField(),
        db_persist=True,
    )
    last_sign_in_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            # The list of people: newest first, optionally of one status.
            models.Index(fields=["status", "-id"], name="user_list"),
            # Search by any part of a name or an address.
            GinIndex(OpClass(F("search_text"), name="gin_trgm_ops"), name="user_search"),
            # Counting a profile's people, and finding those whom a changed profile concerns.
            models.Index(fields=["profile_id"], name="user_by_profile"),
            # The lock over administrators that keeps the last one.
            models.Index(fields=["id"], name="user_admins", condition=models.Q(role="tenant_admin", status="active")),
        ]

    def __str__(self) -> str:
        return f"user {self.id}"

    @property
    def display_name(self) -> str:
        """The name to show: first and last, or the address before its @. Who was deleted is a number."""
        if self.status == User.Status.ERASED:
            return f"Deleted user {self.id}"
        return f"{self.first_name} {self.last_name}".strip() or self.email.partition("@")[0]

    @property
    def email_verified(self) -> bool:
        return self.email_verified_at is not None

    @property
    def profile(self) -> ProfileRef:
        """Number and name of the profile. Lists fill it in for all their people at once (selectors.with_profiles)."""
        if self._profile is None or self._profile.id != self.profile_id:
            self._profile = profile_refs([self.profile_id])[self.profile_id]
        return self._profile

    @profile.setter
    def profile(self, profile: ProfileRef) -> None:
        self._profile = profile
