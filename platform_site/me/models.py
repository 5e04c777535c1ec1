"""What modules of the product want people to do."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import User
from platform_site.fields import Uuid7Field


class StoredItem(models.Model):
    """One action item that a module put here under a key of its own.

    It waits for one person, for those who hold a permission, or for a role and those above it; exactly one of the
    three is set. Once closed, by the module or by whoever did it, it waits for nobody.
    """

    class Closed(models.TextChoices):
        DONE = "done"  # by a person
        WITHDRAWN = "withdrawn"  # by the module

    id = Uuid7Field(primary_key=True)
    app = models.CharField(max_length=50)
    key = models.CharField(max_length=128)
    assignee = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="+", db_index=False)
    permission = models.CharField(max_length=80, blank=True)
    role = models.CharField(max_length=20, blank=True)
    type = models.CharField(max_length=50)
    title = models.CharField(max_length=200)
    url = models.CharField(max_length=500, blank=True)
    # The place in platform_site.action_items.PRIORITIES: what is urgent has the highest.
    priority = models.PositiveSmallIntegerField()
    due_at = models.DateTimeField(null=True)
    # A record of the registry, by the id that was sent.
    entity = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)
    closed_at = models.DateTimeField(null=True)
    closed = models.CharField(max_length=9, choices=Closed.choices, blank=True)
    closed_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            # Decides a race of two that put the same.
            models.UniqueConstraint(fields=["app", "key"], name="item_once"),
            models.CheckConstraint(
                condition=Q(assignee__isnull=False, permission="", role="")
                | Q(~Q(permission=""), assignee__isnull=True, role="")
                | Q(~Q(role=""), assignee__isnull=True, permission=""),
                name="item_for_somebody",
            ),
        ]
        indexes = [
            # What waits for one person, and the counter.
            models.Index(fields=["assignee", "due_at"], name="item_of_person", condition=Q(closed_at__isnull=True)),
            # What waits for several.
            models.Index(
                fields=["due_at"], name="item_of_several", condition=Q(closed_at__isnull=True, assignee__isnull=True)
            ),
            # What is closed and grows old.
            models.Index(fields=["closed_at"], name="item_closed", condition=Q(closed_at__isnull=False)),
            # Forgetting a record that was erased.
            models.Index(fields=["entity"], name="item_of_entity", condition=Q(entity__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.app} {self.key}"
