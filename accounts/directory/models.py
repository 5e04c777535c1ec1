"""One row for each person of each tenant, found by a keyed hash of the address."""

from django.db import models


class DirectoryEntry(models.Model):
    """That the address behind ``email_hash`` is somebody's in this tenant. No name, no address."""

    user_uuid = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField()
    # HMAC of the address under the key named ``key_id`` of TOKEN_KEYS.
    email_hash = models.BinaryField(max_length=32)
    key_id = models.CharField(max_length=40)
    status = models.CharField(max_length=10)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            # The lookup by address.
            models.Index(fields=["email_hash"], name="directory_by_email"),
            # Rebuilding or dropping a tenant's part; re-hashing what an old key made.
            models.Index(fields=["tenant_id"], name="directory_by_tenant"),
            models.Index(fields=["key_id"], name="directory_by_key"),
        ]

    def __str__(self) -> str:
        return f"entry {self.user_uuid}"
