"""Outbox rows: work to do because of a journal entry, or because somebody unknown asked for it."""

from uuid import UUID

from django.db import models
from django.db.models import F, Value
from django.db.models.functions import Coalesce, Now

from platform_site.fields import Uuid7Field

# Whose lane a request waits in.
NOBODY = UUID(int=0)


class OutboxRow(models.Model):
    """One reaction to one journal entry of one tenant, by ids alone; or a job, or a request.

    A *job* is work about something else than an entry: a delivery, a digest. A row
    without a tenant is a *request* of somebody who is not signed in: its sealed
    payload says what was asked, and the handler finds out for whom.
    A row is gone once its work is done. ``available_at`` is when it may be
    claimed: claiming moves it forward by the lease, failing by the backoff.
    """

    class Queue(models.IntegerChoices):
        """What is due in a lower queue goes first."""

        URGENT = 0  # somebody waits for it: a reset link, a sign-in warning
        DEFAULT = 1
        BULK = 2  # an import's thousand mails

    class State(models.TextChoices):
        PENDING = "pending"
        PARKED = "parked"  # its tenant is closed for now; opening it sets it free
        DEAD = "dead"  # it failed too often; staff can look and re-drive

    id = Uuid7Field(primary_key=True)
    tenant_id = models.UUIDField(null=True)
    # The journal entry; what a job is about; the row's own id when it is a request.
    entry_id = models.UUIDField()
    payload = models.BinaryField(null=True)
    key = models.CharField(max_length=80)
    reaction = models.CharField(max_length=120)
    queue = models.PositiveSmallIntegerField(choices=Queue.choices, default=Queue.DEFAULT, db_default=Queue.DEFAULT)
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    available_at = models.DateTimeField(db_default=Now())
    # Names the claim: a runner whose lease ran out finds another number here and stops.
    claim = models.UUIDField(null=True)
    last_error = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["tenant_id", "entry_id", "reaction"], name="outbox_once")]
        indexes = [
            # The dispatcher's look whether anything is due, and its claim when little is.
            models.Index(fields=["available_at"], name="outbox_claim", condition=models.Q(state="pending")),
            # Its claim when much is: each tenant's lane of a queue, in turns.
            models.Index(
                F("queue"),
                Coalesce(F("tenant_id"), Value(NOBODY)),
                F("available_at"),
                name="outbox_lanes",
                condition=models.Q(state="pending"),
            ),
            # Staff's list of dead letters, and the release of a tenant's parked rows.
            models.Index(fields=["tenant_id", "state"], name="outbox_resting", condition=~models.Q(state="pending")),
        ]

    def __str__(self) -> str:
        return f"{self.reaction} of {self.key}"
