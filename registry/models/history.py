"""What was done with records, merges that can be undone, and pairs that may be one."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from platform_site.fields import JsonField, Uuid7Field
from registry.models.entity import Entity


class HistoryEntry(models.Model):
    """One step of a record's genealogy: append-only, and enough to replay who stood for whom at any time.

    It stays with the record that it happened to, also after that one was merged.
    """

    class Op(models.TextChoices):
        REGISTERED = "registered"
        LINKED = "linked"
        AUTO_LINKED = "auto_linked"
        UNLINKED = "unlinked"
        MOVED = "moved"
        MERGED_IN = "merged_in"
        MERGED_AWAY = "merged_away"
        UNMERGED = "unmerged"
        IDENTIFIER_ADDED = "identifier_added"
        IDENTIFIER_REMOVED = "identifier_removed"
        SNAPSHOT_UPDATED = "snapshot_updated"
        FIELD_PINNED = "field_pinned"
        FIELD_UNPINNED = "field_unpinned"
        LOCKED = "locked"
        UNLOCKED = "unlocked"
        ERASED = "erased"

    # The order in which things happened, for a record and in the change feed.
    seq = models.BigAutoField(primary_key=True)
    id = Uuid7Field()
    entity = models.ForeignKey(Entity, on_delete=models.PROTECT, related_name="history", db_index=False)
    at = models.DateTimeField(db_default=Now(), editable=False)
    op = models.CharField(max_length=18, choices=Op.choices)
    actor_id = models.UUIDField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    payload = JsonField(default=dict)

    class Meta:
        indexes = [
            # The genealogy of a record.
            models.Index(fields=["entity", "seq"], name="history_of_entity"),
        ]

    def __str__(self) -> str:
        return f"{self.op} {self.entity_id}"


class Merge(models.Model):
    """The loser became part of the winner. ``pre_image`` is what undoing it puts back."""

    # The order of merges, whose numbers are taken one after the other.
    seq = models.BigAutoField(primary_key=True)
    id = Uuid7Field(unique=True)
    winner = models.ForeignKey(Entity, on_delete=models.PROTECT, related_name="+", db_index=False)
    loser = models.ForeignKey(Entity, on_delete=models.PROTECT, related_name="+", db_index=False)
    reason = models.CharField(max_length=500, blank=True)
    field_decisions = JsonField(default=dict)
    pre_image = JsonField(default=dict)
    at = models.DateTimeField(db_default=Now(), editable=False)
    actor_id = models.UUIDField(null=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            # A record is part of one other at a time.
            models.UniqueConstraint(fields=["loser"], name="merge_once", condition=Q(undone_at__isnull=True)),
        ]
        indexes = [
            # The last merge of a record, which is the one that can be undone.
            models.Index(fields=["winner", "-seq"], name="merge_of_winner", condition=Q(undone_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.loser_id} into {self.winner_id}"


class Duplicate(models.Model):
    """Two records that may be the same one. Nobody merges them but a person."""

    class Status(models.TextChoices):
        OPEN = "open"
        DISMISSED = "dismissed"

    pk = models.CompositePrimaryKey("low", "high")
    low = models.ForeignKey(Entity, on_delete=models.PROTECT, related_name="+", db_index=False)
    high = models.ForeignKey(Entity, on_delete=models.PROTECT, related_name="+")
    # 0 to 1.
    score = models.FloatField()
    # What speaks for it: [{"code", "field", ...}].
    reasons = JsonField(default=list)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.OPEN)
    found_at = models.DateTimeField(db_default=Now(), editable=False)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.UUIDField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(low__lt=F("high")), name="duplicate_ordered")]
        indexes = [
            # What waits for a decision, the surest first.
            models.Index(fields=["-score", "low", "high"], name="duplicate_open", condition=Q(status="open")),
        ]

    def __str__(self) -> str:
        return f"{self.low_id} and {self.high_id}"
