"""Tables of a tenant's schema: what people were told, on which ways, and how they want it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from accounts.models import User
from platform_site.fields import JsonField, Uuid7Field


class Notification(models.Model):
    """One thing that one person is told. Texts are plain and final; ``data`` is what they were made from."""

    id = Uuid7Field(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="notifications", db_index=False)
    event_key = models.CharField(max_length=80)
    title = models.CharField(max_length=200)
    body = models.CharField(max_length=1000, blank=True)
    action_url = models.CharField(max_length=500, blank=True)
    data = JsonField(default=dict)
    actor_id = models.UUIDField(null=True)
    # The same fact told twice is told once: the journal entry's id, or what the sender of a raised event says.
    dedup_key = models.CharField(max_length=120, null=True)
    # Somebody who wants it by mail only has it here all the same, unseen.
    in_inbox = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    read_at = models.DateTimeField(null=True)
    dismissed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "dedup_key"], name="notification_once")]
        indexes = [
            # The inbox: newest first, because ids begin with their time.
            models.Index(
                fields=["user", "-id"],
                name="notification_inbox",
                condition=models.Q(in_inbox=True, dismissed_at__isnull=True),
            ),
            # The unread count and the inbox of unread ones.
            models.Index(
                fields=["user", "-id"],
                name="notification_unread",
                condition=models.Q(in_inbox=True, dismissed_at__isnull=True, read_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_key} {self.id}"


class Delivery(models.Model):
    """One notification on one way out of the platform, such as e-mail."""

    class Status(models.TextChoices):
        PENDING = "pending"  # its job is in the outbox, now or when quiet hours end
        SENT = "sent"  # the mail server has taken it
        SUPPRESSED = "suppressed"  # not attempted; ``reason`` says why
        FAILED = "failed"  # refused for good

    id = Uuid7Field(primary_key=True)
    # Found by the constraint's index.
    notification = models.ForeignKey(Notification, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    channel = models.CharField(max_length=20)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    reason = models.CharField(max_length=40, blank=True)
    # Quiet hours hold it until then.
    held_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notification", "channel"], name="delivery_once")]
        indexes = [
            # What quiet hours hold back, when somebody changes them.
            models.Index(
                fields=["notification"],
                name="delivery_held",
                condition=models.Q(status="pending", held_until__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.id}"


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
