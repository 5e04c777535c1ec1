"""A table of the public schema, because what is in a tenant's goes back with its backup."""

from django.db import models
from django.db.models.functions import Now


class Erasure(models.Model):
    """That somebody was erased for good. It outlives the tenant: a backup of it may outlive it too."""

    tenant_id = models.UUIDField()
    # "user", "entity": a key of platform_site.archiving.erasure_replays.
    kind = models.CharField(max_length=20)
    subject_id = models.UUIDField()
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant_id", "kind", "subject_id"], name="erasure_once")]

    def __str__(self) -> str:
        return f"erasure of {self.kind} {self.subject_id}"
