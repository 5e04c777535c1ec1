"""Secrets that were mailed as links."""

from django.db import models
from django.db.models.functions import Now

from accounts.models.user import User
from platform_site.fields import Uuid7Field


class LinkToken(models.Model):
    """One mailed link. Its secret is derived from ``id``; only the hash is stored."""

    class Kind(models.TextChoices):
        VERIFY_EMAIL = "vfy"
        RESET_PASSWORD = "rst"  # noqa: S105 - the name of a kind
        INVITATION = "inv"

    id = Uuid7Field(primary_key=True)
    kind = models.CharField(max_length=3, choices=Kind.choices)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="links", db_index=False)
    # Who invited: deactivating somebody voids the invitations that are still out in that person's name.
    sender = models.ForeignKey(User, on_delete=models.SET_NULL, related_name="sent_links", null=True, db_index=False)
    key_id = models.CharField(max_length=40)
    secret_hash = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    # A newer link of its kind was sent: the newest wins.
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # Superseding the older links of a user.
            models.Index(fields=["user", "kind"], name="link_of_user"),
            # Voiding what somebody who left has sent.
            models.Index(fields=["sender"], name="link_by_sender", condition=models.Q(sender__isnull=False)),
            models.Index(fields=["expires_at"], name="link_purge"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
