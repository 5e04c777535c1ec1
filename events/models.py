"""What happened to the people of the registry, and how much of it there is."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from platform_site.fields import JsonField, Uuid7Field


class Event(models.Model):
    """One thing that happened. It is never rewritten: a merge is seen by who reads, an undone merge likewise.

    ``canonical_id`` is the id that the sender named, also when that record had become part of another one.
    """

    id = Uuid7Field(primary_key=True)
    canonical_id = models.UUIDField()
    app = models.CharField(max_length=50)
    category = models.CharField(max_length=50)
    action = models.CharField(max_length=100)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(db_default=Now(), editable=False)
    # The sender's own name for it: the same one again is the same event, for ever.
    message_id = models.CharField(max_length=100, null=True)
    # The person of this tenant who did it, if it was one.
    actor_id = models.UUIDField(null=True)
    # The record of the app that it came from.
    source_type = models.CharField(max_length=50, blank=True, db_default="")
    source_id = models.CharField(max_length=128, blank=True, db_default="")
    metadata = JsonField(default=dict, db_default={})

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["app", "message_id"], name="event_once", condition=Q(message_id__isnull=False)
            ),
        ]
        indexes = [
            # The list of one record, newest first, and its counts without a look into the table.
            models.Index(
                fields=["canonical_id", "-occurred_at", "-id"], include=["app", "category"], name="event_of_record"
            ),
            # What is older than the tenant keeps.
            BrinIndex(fields=["occurred_at"], name="event_retention"),
        ]

    def __str__(self) -> str:
        return f"{self.app} {self.action} of {self.canonical_id}"


class EventStat(models.Model):
    """How many events a record has, and their ends. Like the events it is kept by the id that was sent."""

    canonical_id = models.UUIDField(primary_key=True)
    total = models.BigIntegerField()
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.total} of {self.canonical_id}"
