"""Which tenant an entry of the admin's log is about. In public, beside the log itself."""

from django.contrib.admin.models import LogEntry
from django.db import models


class TenantLogEntry(models.Model):
    """An entry names its object by type and key alone, and two tenants have objects with the same key."""

    entry = models.OneToOneField(LogEntry, on_delete=models.CASCADE, primary_key=True, related_name="of_tenant")
    tenant_id = models.UUIDField()

    class Meta:
        indexes = [
            # What staff did in this tenant, newest first.
            models.Index(fields=["tenant_id", "-entry"], name="lens_log_of_tenant"),
        ]

    def __str__(self) -> str:
        return f"{self.entry_id} in {self.tenant_id}"
