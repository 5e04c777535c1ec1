"""Keys with which a tenant's own services call the API."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from accounts.models.user import User
from platform_site.fields import Uuid7Field


class ApiKey(models.Model):
    """One key: a set of permission numbers under a name. Only the hash of its secret is stored."""

    id = Uuid7Field(primary_key=True)
    name = models.CharField(max_length=100)
    permissions = ArrayField(models.IntegerField(), default=list)
    key_id = models.CharField(max_length=40)
    secret_hash = models.BinaryField(max_length=32)
    # The end of the secret, to tell keys apart in a list.
    hint = models.CharField(max_length=8)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_keys", db_index=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField(null=True)
    # To the minute: it is written when the key's cached record is read anew.
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # Revoking the keys of somebody who left.
            models.Index(fields=["created_by"], name="api_key_by_creator", condition=models.Q(revoked_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"api key {self.id}"
