"""Signed-in devices."""

from django.db import models
from django.db.models.functions import Now

from accounts.models.user import User
from platform_site.fields import Uuid7Field


class Session(models.Model):
    """One sign-in on one device, kept alive by a rotating refresh token.

    The token's secret is derived from ``id`` and ``counter`` with the key named
    ``key_id``; only its hash is stored. ``previous_*`` describe the token before,
    which is good for ``REFRESH_GRACE_SECONDS`` so that a lost answer costs nobody
    the session.
    """

    id = Uuid7Field(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions", db_index=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    last_used_at = models.DateTimeField()
    # When the person last proved who is there: sign-in, or a re-authentication since.
    authenticated_at = models.DateTimeField(db_default=Now())
    # How, as RFC 8176 names it: "pwd", "pwd otp".
    methods = models.CharField(max_length=40, db_default="pwd")
    idle_expires_at = models.DateTimeField()
    absolute_expires_at = models.DateTimeField()
    counter = models.PositiveIntegerField(default=0)
    key_id = models.CharField(max_length=40)
    current_hash = models.BinaryField(max_length=32)
    previous_hash = models.BinaryField(max_length=32, null=True)
    previous_until = models.DateTimeField(null=True)
    ip = models.CharField(max_length=64, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    revoked_at = models.DateTimeField(null=True)
    revoke_reason = models.CharField(max_length=40, blank=True)
    # The staff member who is signed in as this person by it, by e-mail address. Such a session has no refresh token.
    impersonator = models.EmailField(blank=True, db_default="")

    class Meta:
        indexes = [
            # Live sessions of one user: the list, logout-all, and the limit per user.
            models.Index(
                fields=["user", "created_at"], name="session_live", condition=models.Q(revoked_at__isnull=True)
            ),
            # Who of staff is signed in as somebody: what ends when the tenant does not want that any more.
            models.Index(
                fields=["user"],
                name="session_impersonations",
                condition=models.Q(revoked_at__isnull=True) & ~models.Q(impersonator=""),
            ),
            # The purge of what is long over.
            models.Index(fields=["absolute_expires_at"], name="session_purge"),
        ]

    def __str__(self) -> str:
        return f"session {self.id}"
