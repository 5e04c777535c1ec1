"""Staff: their accounts, the sessions in which they may change something, and what they did. All in public.

They sign in to the admin and to nothing else; tenants' people are ``accounts.User``.
"""

from typing import ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models, transaction
from django.db.models.functions import Now

from accounts.staff.roles import StaffRole
from platform_site.fields import JsonField, Uuid7Field


class StaffUserManager(UserManager):  # type: ignore[type-arg]
    use_in_migrations = False

    def create_superuser(self, email: str, password: str | None = None, **fields: object) -> "StaffUser":  # type: ignore[override]
        name = email.lower()
        fields.setdefault("role", StaffRole.SUPERUSER)
        staff: StaffUser = super().create_superuser(username=name, email=name, password=password, **fields)
        return staff


class StaffUser(AbstractUser):
    """Signs in with an e-mail address; ``username`` repeats it, because Django's admin asks for one."""

    email = models.EmailField(unique=True)
    role = models.CharField(
        max_length=10, choices=StaffRole.choices, default=StaffRole.VIEWER, db_default=StaffRole.VIEWER
    )

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[StaffUserManager] = StaffUserManager()

    class Meta:
        verbose_name = "staff member"

    def save(self, *args: object, **kwargs: object) -> None:
        self.email = self.email.lower()
        self.username = self.email
        # Django asks this one; the role is what people set.
        self.is_superuser = self.role == StaffRole.SUPERUSER
        with transaction.atomic():
            super().save(*args, **kwargs)  # type: ignore[arg-type]
            if not self.reaches(StaffRole.SUPPORT):
                self._stand_down()

    def _stand_down(self) -> None:
        """Whoever may not change anything any more has nothing open in which they might, from now on."""
        from accounts.staff.services import sessions_close_all

        sessions_close_all(staff=self)

    def reaches(self, needed: StaffRole) -> bool:
        """Whether this account is in use and its role, or one above it, is ``needed``."""
        return self.is_active and StaffRole(self.role).reaches(needed)


class StaffSession(models.Model):
    """The time in which one staff member may change something in one tenant, and why."""

    id = Uuid7Field(primary_key=True)
    staff = models.ForeignKey(StaffUser, on_delete=models.PROTECT, related_name="+")
    tenant_id = models.UUIDField()
    reason = models.CharField(max_length=500)
    opened_at = models.DateTimeField(db_default=Now(), editable=False)
    ends_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    origin = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [
            # Every page of the lens: is one open, for this person and this tenant?
            models.Index(fields=["staff", "tenant_id", "-opened_at"], name="staff_session_open"),
            # A tenant's page: who was here, newest first.
            models.Index(fields=["tenant_id", "-opened_at"], name="staff_session_of_tenant"),
        ]

    def __str__(self) -> str:
        return f"session {self.id}"


class Impersonation(models.Model):
    """A staff member's leave to sign in as one person: a code for a minute, and the session that it was given for.

    The session in the tenant has the same id. Of the code only the hash is here.
    """

    id = Uuid7Field(primary_key=True)
    staff_session = models.ForeignKey(StaffSession, on_delete=models.PROTECT, related_name="impersonations")
    user_id = models.UUIDField()
    reason = models.CharField(max_length=500)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    code_hash = models.BinaryField(max_length=32, unique=True)
    code_ends_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    ends_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"impersonation {self.id}"


class StaffAct(models.Model):
    """One request that staff made, or one thing that they did. Rows are added and never changed.

    A request has ``method``, ``path`` and ``status``; an action has a dotted ``action``, a ``reason`` and ``data``.
    """

    id = Uuid7Field(primary_key=True)
    at = models.DateTimeField(db_default=Now(), editable=False)
    staff_id = models.BigIntegerField()
    staff_email = models.EmailField()
    session_id = models.UUIDField(null=True)
    tenant_id = models.UUIDField(null=True)
    action = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    data = JsonField(default=dict)
    method = models.CharField(max_length=10, blank=True)
    path = models.CharField(max_length=500, blank=True)
    status = models.PositiveSmallIntegerField(null=True)
    origin = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name = "staff act"
        indexes = [
            # A tenant's page: what staff did here, newest first.
            models.Index(fields=["tenant_id", "-id"], name="staff_act_of_tenant"),
            # What one staff member did.
            models.Index(fields=["staff_id", "-id"], name="staff_act_of_staff"),
            # Actions alone, among many requests.
            models.Index(fields=["-id"], name="staff_act_actions", condition=~models.Q(action="")),
            # The purge of what is older than is kept.
            models.Index(fields=["at"], name="staff_act_purge"),
        ]

    def __str__(self) -> str:
        return f"{self.action or self.method} {self.id}"
