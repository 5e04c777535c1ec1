"""What is kept about the set-up: its end, and where each task stands."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import User


class Setup(models.Model):
    """The set-up of this tenant, one row or none. Whoever changes anything about it holds this row's lock."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    completed_at = models.DateTimeField(null=True)
    completed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="setup_once")]

    def __str__(self) -> str:
        return "completed" if self.completed_at else "not completed"


class TaskState(models.Model):
    """Where one task stands; a task without a row is pending. The row of a task that is not installed any more stays.

    ``completed_at`` and ``completed_by`` are of whichever of completed and skipped it is.
    """

    class Status(models.TextChoices):
        PENDING = "pending"
        IN_PROGRESS = "in_progress"
        COMPLETED = "completed"
        SKIPPED = "skipped"

    class Source(models.TextChoices):
        # The data said so, and may say otherwise tomorrow.
        AUTO = "auto"
        # A person said so, and no check takes it back.
        MANUAL = "manual"

    code = models.CharField(max_length=80, primary_key=True)
    status = models.CharField(max_length=11, choices=Status.choices, default=Status.PENDING)
    source = models.CharField(max_length=6, choices=Source.choices, default=Source.AUTO)
    completed_at = models.DateTimeField(null=True)
    completed_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+", db_index=False)
    # Why it was skipped, or completed although its check says no.
    reason = models.CharField(max_length=500, blank=True)
    # What the last check said, and when.
    detail = models.CharField(max_length=200, blank=True)
    last_checked_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.code}: {self.status}"
