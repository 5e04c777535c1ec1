"""Outbox rows: work to do because of a journal entry, or because somebody unknown asked for it."""

from django.db import models
from django.db.models.functions import Now

from platform_site.fields import Uuid7Field


class OutboxRow(models.Model):
    """One reaction to one journal entry of one tenant, by ids alone.

    A row without a tenant is a *request* of somebody who is not signed in: its
    sealed payload says what was asked, and the handler finds out for whom.
    A row is gone once its reaction has run. ``available_at`` is when it may be
    claimed: claiming moves it forward by the lease, failing by the backoff.
    """

    class State(models.TextChoices):
        PENDING = "pending"
        PARKED = "parked"  # its tenant is suspended; reactivation sets it free
        DEAD = "dead"  # it failed too often; staff can look and re-drive

    id = Uuid7Field(primary_key=True)
    tenant_id = models.UUIDField(null=True)
    # The journal entry; the row's own id when it is a request.
    entry_id = models.UUIDField()
    payload = models.BinaryField(null=True)
    key = models.CharField(max_length=80)
    reaction = models.CharField(max_length=120)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    available_at = models.DateTimeField(db_default=Now())
    # Names the claim: a runner whose lease ran out finds another number here and stops.
    claim = models.UUIDField(null=True)
    last_error = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry_id", "reaction"], name="outbox_once_per_entry")]
        indexes = [
            # The dispatcher's claim: only what waits, oldest first.
            models.Index(fields=["available_at"], name="outbox_claim", condition=models.Q(state="pending")),
            # Staff's list of dead letters, and the release of a tenant's parked rows.
            models.Index(fields=["tenant_id", "state"], name="outbox_resting", condition=~models.Q(state="pending")),
        ]

    def __str__(self) -> str:
        return f"{self.reaction} of {self.key}"
