"""A tenant's own texts."""

from django.db import models
from django.db.models.functions import Now

from platform_site.fields import Uuid7Field


class TemplateOverride(models.Model):
    """One version of a tenant's own text for one event on one channel. At most one of them is active.

    A field that is None is not overridden. Old versions stay, to go back to.
    """

    id = Uuid7Field(primary_key=True)
    event_key = models.CharField(max_length=80)
    channel = models.CharField(max_length=20)
    version = models.PositiveIntegerField()
    subject = models.CharField(max_length=200, null=True)
    body_html = models.TextField(null=True)
    body_text = models.TextField(null=True)
    # Of the default that it was made from, to tell when that has changed.
    base_version = models.CharField(max_length=16)
    active = models.BooleanField(default=True)
    created_by = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event_key", "channel", "version"], name="template_override_version"),
            models.UniqueConstraint(
                fields=["event_key", "channel"], name="template_override_active", condition=models.Q(active=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_key}:{self.channel} v{self.version}"
