"""How people, and their company, want to be told."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models import User


class Preference(models.Model):
    """What one person wants of one event on one channel; without a row the event's default counts."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    event_key = models.CharField(max_length=80)
    channel = models.CharField(max_length=20)
    enabled = models.BooleanField()
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        # Also the index of the sender, who reads one event's rows of many people.
        constraints = [models.UniqueConstraint(fields=["user", "event_key", "channel"], name="preference_once")]

    def __str__(self) -> str:
        return f"{self.event_key}:{self.channel} of user {self.user_id}"


class DoNotDisturb(models.Model):
    """One person's quiet hours. Times are minutes after midnight in ``timezone``."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="+")
    enabled = models.BooleanField(default=False)
    start_minute = models.PositiveSmallIntegerField()
    end_minute = models.PositiveSmallIntegerField()
    # "": the profile's, else the company's.
    timezone = models.CharField(max_length=64, blank=True)
    days = ArrayField(models.PositiveSmallIntegerField())
    snooze_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"quiet hours of user {self.user_id}"


class TenantPreference(models.Model):
    """What the company wants of an event on a channel; ``event_key`` "*" means every event.

    ``default_enabled`` counts for who chose nothing; ``enforced`` for everybody.
    """

    event_key = models.CharField(max_length=80)
    channel = models.CharField(max_length=20)
    default_enabled = models.BooleanField(null=True)
    enforced = models.BooleanField(null=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event_key", "channel"], name="tenant_preference_once")]

    def __str__(self) -> str:
        return f"{self.event_key}:{self.channel}"


class TrackingConsent(models.Model):
    """Somebody agreed that their opening of mails is noticed. No row: no."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="+")
    given_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"consent of user {self.user_id}"
