"""What people are told, and the ways on which it goes out to them."""

from django.db import models
from django.db.models.functions import Now

from accounts.models import User
from notifications.models.digests import Digest
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
    # It goes out as a part of this one, and has no job of its own.
    digest = models.ForeignKey(Digest, on_delete=models.SET_NULL, null=True, related_name="deliveries", db_index=False)
    # "platform", or "tenant" for the tenant's own mail server.
    mailer = models.CharField(max_length=20, blank=True, db_default="")
    # What the provider calls it; "" when it does not say.
    provider_message_id = models.CharField(max_length=200, blank=True, db_default="")
    # The tenant's own text that was used; None for the default.
    template_version = models.PositiveIntegerField(null=True)
    # The tenant's own text could not be rendered, so the default went out.
    template_fallback = models.BooleanField(default=False, db_default=False)
    # The kind of the last error, for who asks why it did not arrive.
    last_error = models.CharField(max_length=80, blank=True, db_default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    sent_at = models.DateTimeField(null=True)
    # First times of what the outside world reports, in whatever order it does.
    delivered_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    machine_opened_at = models.DateTimeField(null=True)
    clicked_at = models.DateTimeField(null=True)
    bounced_at = models.DateTimeField(null=True)
    complained_at = models.DateTimeField(null=True)
    unsubscribed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["notification", "channel"], name="delivery_once")]
        indexes = [
            # What quiet hours hold back, when somebody changes them.
            models.Index(
                fields=["notification"],
                name="delivery_held",
                condition=models.Q(status="pending", held_until__isnull=False),
            ),
            # What is on its way, for who counts it.
            models.Index(fields=["created_at"], name="delivery_pending", condition=models.Q(status="pending")),
            # What a digest brings when it is sent.
            models.Index(fields=["digest"], name="delivery_of_digest", condition=models.Q(digest__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.channel} {self.id}"


class DeliveryEvent(models.Model):
    """One thing that a mail provider reported about a delivery. The constraint makes a replay harmless."""

    delivery = models.ForeignKey(Delivery, on_delete=models.CASCADE, related_name="events", db_index=False)
    kind = models.CharField(max_length=20)
    # The provider's id of the event, or a hash of the event where it gives none.
    event_id = models.CharField(max_length=200)
    at = models.DateTimeField()
    detail = JsonField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["delivery", "kind", "event_id"], name="delivery_event_once")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.delivery_id}"
