"""Figures of each tenant, kept in public so that a page about all of them looks into none.

They are written by one walk over the tenants (``counting.py``) and are as old as that walk.
"""

from django.db import models
from django.db.models.functions import Now


class TenantFigures(models.Model):
    """How a tenant was when it was last looked into, one row for each."""

    class MailServer(models.TextChoices):
        PLATFORM = "platform"  # it has none of its own
        WORKING = "working"
        UNTESTED = "untested"
        FAILING = "failing"  # the last attempts failed
        PAUSED = "paused"  # too many did: it is left alone for a while

    tenant_id = models.UUIDField(primary_key=True)
    # People who hold a seat: active and invited.
    seats_used = models.PositiveIntegerField(default=0)
    people_active = models.PositiveIntegerField(default=0)
    mail_server = models.CharField(max_length=10, choices=MailServer.choices, default=MailServer.PLATFORM)
    # The kind of what went wrong when it was looked into; "" when nothing did.
    error = models.CharField(max_length=80, blank=True)
    counted_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [
            # The home page's list of what needs somebody.
            models.Index(
                fields=["tenant_id"],
                name="figures_failing",
                condition=models.Q(mail_server__in=["failing", "paused"]) | ~models.Q(error=""),
            ),
        ]

    def __str__(self) -> str:
        return f"figures of {self.tenant_id}"


class TenantDay(models.Model):
    """What happened in a tenant on one day. A day on which nothing did has no row.

    Mail goes by the company's own days, people by those of UTC.
    """

    tenant_id = models.UUIDField()
    day = models.DateField()
    # Different people whose session was used.
    active_people = models.PositiveIntegerField(default=0)
    mails_sent = models.PositiveIntegerField(default=0)
    mails_bounced = models.PositiveIntegerField(default=0)
    # Refused for good, or given up after all attempts.
    mails_dead = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            # Also the index of a tenant's page.
            models.UniqueConstraint(fields=["tenant_id", "day"], name="tenant_day_once"),
        ]
        indexes = [
            # The sums of all tenants, read from the index alone; and the purge.
            models.Index(
                fields=["day"],
                include=["active_people", "mails_sent", "mails_bounced", "mails_dead"],
                name="tenant_day_sums",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} of {self.tenant_id}"


class Walk(models.Model):
    """The last walk over all tenants, one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    tenants = models.PositiveIntegerField()
    failed = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"walk of {self.began_at}"
