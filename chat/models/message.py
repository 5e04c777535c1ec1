"""What was said, and what was done with it."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import User
from chat.models.channel import Channel
from platform_site.fields import Uuid7Field


class Message(models.Model):
    """One message. A deleted one stays as a tombstone without content, so that no number is missing."""

    id = Uuid7Field(primary_key=True)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="messages", db_index=False)
    seq = models.BigIntegerField()
    # The number of its last change in the channel; 0 when it is as it was sent.
    change_seq = models.BigIntegerField(default=0, db_default=0)
    sender = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    content = models.TextField()
    # The sender's own name for it: the same one again is the same message, for ever.
    client_message_id = models.CharField(max_length=64, null=True)
    # No foreign key: what it answers may be gone.
    reply_to = models.UUIDField(null=True)
    # Numbers of those who are named in it; 0 stands for everybody in the channel.
    mentioned = ArrayField(models.IntegerField(), default=list, db_default=[])
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    edited_at = models.DateTimeField(null=True)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # Pages, and what a client missed.
            models.UniqueConstraint(fields=["channel", "seq"], name="message_seq"),
            models.UniqueConstraint(
                fields=["channel", "sender", "client_message_id"],
                name="message_once",
                condition=Q(client_message_id__isnull=False),
            ),
        ]
        indexes = [
            # Changes that a client missed.
            models.Index(fields=["channel", "change_seq"], name="message_changes", condition=Q(change_seq__gt=0)),
            # What unread counts leave out.
            models.Index(fields=["channel", "seq"], name="message_deleted", condition=Q(deleted_at__isnull=False)),
            GinIndex(SearchVector(F("content"), config="simple"), name="message_search"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} in {self.channel_id}"


class Mention(models.Model):
    """Somebody was named in a message; for counting those that are unread."""

    pk = models.CompositePrimaryKey("user", "channel", "seq")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="+", db_index=False)
    seq = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.user_id} in {self.seq} of {self.channel_id}"


class Reaction(models.Model):
    """One person's one emoji at one message."""

    pk = models.CompositePrimaryKey("message", "emoji", "user")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="reactions", db_index=False)
    emoji = models.CharField(max_length=32)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"{self.emoji} at {self.message_id}"
