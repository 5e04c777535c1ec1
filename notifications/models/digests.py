"""Mails that bring several notifications at once."""

from django.db import models
from django.db.models.functions import Now

from accounts.models import User
from platform_site.fields import Uuid7Field


class DigestSetting(models.Model):
    """How often somebody wants one mail for many. No row: never. Times are minutes after midnight in ``timezone``."""

    class Frequency(models.TextChoices):
        OFF = "off"
        HOURLY = "hourly"
        DAILY = "daily"
        WEEKLY = "weekly"

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="+")
    frequency = models.CharField(max_length=8, choices=Frequency.choices, default=Frequency.OFF)
    minute = models.PositiveSmallIntegerField()
    # ISO: Monday is 1. Only for weekly ones.
    day_of_week = models.PositiveSmallIntegerField(default=1)
    # "": the profile's, else the company's.
    timezone = models.CharField(max_length=64, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"digest of user {self.user_id}: {self.frequency}"


class Digest(models.Model):
    """One such mail. It is made with its first notification, and takes further ones while it is open."""

    class Kind(models.TextChoices):
        SCHEDULED = "scheduled"  # somebody wants digests
        HELD = "held"  # more than a few mails waited for the end of quiet hours

    class Status(models.TextChoices):
        OPEN = "open"
        CLOSED = "closed"  # on its way: it takes nothing more
        SENT = "sent"
        SKIPPED = "skipped"  # everything in it was read meanwhile
        FAILED = "failed"

    id = Uuid7Field(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    due_at = models.DateTimeField()
    items = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    clicked_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "kind", "due_at"], name="digest_once"),
            models.UniqueConstraint(
                fields=["user"], name="digest_open", condition=models.Q(kind="scheduled", status="open")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} digest {self.id}"
