"""What was sent, by day: counted as it happens, folded later."""

from django.db import models

COUNTED = (
    "created",
    "suppressed",
    "sent",
    "delivered",
    "bounced",
    "failed",
    "opened",
    "machine_opened",
    "clicked",
    "complained",
    "unsubscribed",
    "items",
)


class Counts(models.Model):
    """Counters of one day in the company's time zone, one event and one channel.

    ``day`` is that on which the delivery was made, whatever happens to it when.
    ``reason`` says why those were suppressed or failed, "" for everything else.
    ``items`` are notifications in digests.
    """

    day = models.DateField()
    event_key = models.CharField(max_length=80)
    channel = models.CharField(max_length=20)
    reason = models.CharField(max_length=40, blank=True)
    created = models.BigIntegerField(default=0)
    suppressed = models.BigIntegerField(default=0)
    sent = models.BigIntegerField(default=0)
    delivered = models.BigIntegerField(default=0)
    bounced = models.BigIntegerField(default=0)
    failed = models.BigIntegerField(default=0)
    opened = models.BigIntegerField(default=0)
    machine_opened = models.BigIntegerField(default=0)
    clicked = models.BigIntegerField(default=0)
    complained = models.BigIntegerField(default=0)
    unsubscribed = models.BigIntegerField(default=0)
    items = models.BigIntegerField(default=0)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.day} {self.event_key}:{self.channel} {self.reason}"


class DailyCount(Counts):
    """The sum so far, one row for each combination."""

    class Meta:
        constraints = [
            # Also the index of who reads a span of days.
            models.UniqueConstraint(fields=["day", "event_key", "channel", "reason"], name="daily_count_once"),
        ]


class CountChange(Counts):
    """What is to be added to it: written with each change, so that no two writers meet in one row."""
