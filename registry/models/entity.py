"""Records, what they are known by, and what they stand for in the apps."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from platform_site.fields import JsonField, Uuid7Field


class Entity(models.Model):
    """One person or company, as the whole platform sees it.

    ``name``, ``email`` and ``attributes`` are worked out from the snapshots of its
    links whenever one changes; ``provenance`` says where each came from. A merged
    record stays and points at its winner, so that its id answers for ever; it
    never points at a merged one.
    """

    class Status(models.TextChoices):
        ACTIVE = "active"
        MERGED = "merged"
        ERASED = "erased"

    id = Uuid7Field(primary_key=True)
    entity_class = models.CharField(max_length=50)
    status = models.CharField(max_length=6, choices=Status.choices, default=Status.ACTIVE)
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    name = models.CharField(max_length=255)
    email = models.CharField(max_length=254, blank=True)
    attributes = JsonField(default=dict)
    provenance = JsonField(default=dict)
    # Values that somebody decided on; nothing that an app says changes them.
    pins = JsonField(default=dict)
    locked = models.BooleanField(default=False, db_default=False)
    version = models.IntegerField(default=1, db_default=1)
    links_count = models.IntegerField(default=0, db_default=0)
    # The name as it is searched for and sorted by, by code points: a prefix is a range of such an index.
    name_key = models.CharField(max_length=255, db_collation="C")
    # Everything that it is found by, normalised: names and addresses of all its links.
    search_text = models.TextField()
    # What records that may be the same one have in common (``registry.matching.keys``).
    match_keys = ArrayField(models.CharField(max_length=120), default=list, db_default=[])
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status="merged", merged_into__isnull=False)
                | (~Q(status="merged") & Q(merged_into__isnull=True)),
                name="entity_merged_into",
            ),
        ]
        indexes = [
            # All ids that lead to a record.
            models.Index(fields=["merged_into"], name="entity_merged", condition=Q(merged_into__isnull=False)),
            # The list by last change, and what changed since.
            models.Index(fields=["updated_at", "id"], name="entity_updated"),
            # The list by name, and search by the beginning of a name.
            models.Index(fields=["name_key", "id"], name="entity_name"),
            # Search within names and addresses, and with slips of the pen.
            GinIndex(OpClass(F("search_text"), name="gin_trgm_ops"), name="entity_search"),
            # Records that may be the same one. Every new record asks, so nothing may wait in a list to be sorted in.
            GinIndex(fields=["match_keys"], name="entity_match_keys", fastupdate=False),
        ]

    def __str__(self) -> str:
        return f"{self.entity_class} {self.id}"


class Identifier(models.Model):
    """What exactly one record of a class is known by. The primary key decides a race."""

    class Kind(models.TextChoices):
        EMAIL = "email"
        EXTERNAL = "external"
        # A keyed digest of what an erased record was known by: nothing can be read from it, only recognised.
        ERASED = "erased"

    pk = models.CompositePrimaryKey("entity_class", "kind", "value")
    entity_class = models.CharField(max_length=50)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    value = models.CharField(max_length=320)
    entity = models.ForeignKey(Entity, on_delete=models.PROTECT, related_name="identifiers")
    # The record that it belonged to before merges; to that one it goes back when they are undone.
    origin_id = models.UUIDField()
    # The link that brought it along, with which it goes to another record.
    link_id = models.UUIDField(null=True)
    # As it was given.
    raw = models.CharField(max_length=320, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"{self.kind} of {self.entity_id}"


class Link(models.Model):
    """A record of an app that stands for this one. It stays when it ends, as part of the history."""

    class Method(models.TextChoices):
        REGISTER = "register"
        MANUAL = "manual"
        AUTO = "auto"
        MOVED = "moved"

    id = Uuid7Field(primary_key=True)
    entity = models.ForeignKey(Entity, on_delete=models.PROTECT, related_name="links", db_index=False)
    # As with identifiers.
    origin_id = models.UUIDField()
    app = models.CharField(max_length=50)
    entity_type = models.CharField(max_length=50)
    entity_id_in_app = models.CharField(max_length=128)
    # What the app knew about it, and when.
    snapshot = JsonField(default=dict)
    snapshot_at = models.DateTimeField()
    method = models.CharField(max_length=8, choices=Method.choices)
    confidence = models.FloatField(null=True)
    created_by = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    unlinked_at = models.DateTimeField(null=True)
    unlinked_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            # One record of an app stands for one record here; decides a race, too.
            models.UniqueConstraint(
                fields=["app", "entity_type", "entity_id_in_app"],
                name="link_once",
                condition=Q(unlinked_at__isnull=True),
            ),
        ]
        indexes = [
            # The links of a record.
            models.Index(fields=["entity", "id"], name="link_of_entity"),
            # Whom a record of an app belonged to before.
            models.Index(
                fields=["app", "entity_type", "entity_id_in_app", "id"],
                name="link_former",
                condition=Q(unlinked_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.app} {self.entity_type} {self.entity_id_in_app}"
