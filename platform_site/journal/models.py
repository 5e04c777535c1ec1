"""Journal entries: append-only, one table in each tenant's schema."""

from django.db import models
from django.db.models.functions import Now

from platform_site.fields import JsonField, Uuid7Field


class JournalEntry(models.Model):
    """One business fact. ``data`` is masked before it gets here and holds no secret."""

    id = Uuid7Field(primary_key=True)
    key = models.CharField(max_length=80)
    at = models.DateTimeField(db_default=Now(), editable=False)
    # None: the platform itself, or somebody who is not signed in.
    actor_id = models.UUIDField(null=True)
    impersonator = models.CharField(max_length=254, blank=True)
    origin = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    subject_type = models.CharField(max_length=40, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    data = JsonField(default=dict)

    class Meta:
        indexes = [
            # The audit list: newest first, optionally of one key.
            models.Index(fields=["key", "-id"], name="journal_audit_by_key"),
            # The history of one user, tenant or channel.
            models.Index(fields=["subject_type", "subject_id", "-id"], name="journal_by_subject"),
            # What one person did.
            models.Index(fields=["actor_id", "-id"], name="journal_by_actor"),
            # The purge of what is older than the tenant keeps.
            models.Index(fields=["at"], name="journal_purge"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.id}"
