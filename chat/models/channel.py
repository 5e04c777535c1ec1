"""Channels, and who is in them."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from accounts.models import User
from platform_site.fields import Uuid7Field


class Channel(models.Model):
    """Two people, or a group. Each message updates this row, so it is narrow and no index has what changes with it."""

    class Kind(models.TextChoices):
        DIRECT = "direct"
        GROUP = "group"

    id = Uuid7Field(primary_key=True)
    kind = models.CharField(max_length=6, choices=Kind.choices)
    name = models.CharField(max_length=100, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+", db_index=False)
    # The number of the last message. It is taken in the transaction that writes the message, so that the order of
    # numbers is the order of commits and there is no hole.
    last_seq = models.BigIntegerField(default=0, db_default=0)
    # The number of the last change (edited, deleted, reacted to), likewise.
    change_seq = models.BigIntegerField(default=0, db_default=0)
    # Messages up to this number are gone, because the company keeps them no longer.
    purged_seq = models.BigIntegerField(default=0, db_default=0)
    last_message_at = models.DateTimeField(null=True)
    # When either number was last taken, by the database's clock at that moment: what the sweeper looks at.
    active_at = models.DateTimeField(null=True)
    archived_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class DirectPair(models.Model):
    """The one channel of two people. The primary key decides a race."""

    pk = models.CompositePrimaryKey("user_lo", "user_hi")
    user_lo = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    user_hi = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    channel = models.OneToOneField(Channel, on_delete=models.CASCADE, related_name="pair")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(user_lo__lt=F("user_hi")), name="direct_pair_ordered")]

    def __str__(self) -> str:
        return f"{self.user_lo_id} and {self.user_hi_id}"


class Member(models.Model):
    """Somebody in a channel. The row stays when the person leaves: it says up to where they have read."""

    class Role(models.TextChoices):
        OWNER = "owner"
        MEMBER = "member"

    # Begins with the person: their list of channels is read by it.
    pk = models.CompositePrimaryKey("user", "channel")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+", db_index=False)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="members", db_index=False)
    role = models.CharField(max_length=6, choices=Role.choices, default=Role.MEMBER)
    # A number, never a reference: a message that is deleted takes no pointer along.
    last_read_seq = models.BigIntegerField(default=0, db_default=0)
    # Messages up to this number are not shown to them.
    hidden_seq = models.BigIntegerField(default=0, db_default=0)
    joined_at = models.DateTimeField(db_default=Now())
    left_at = models.DateTimeField(null=True)
    # Muted until then; the end of time for "until I say otherwise".
    muted_until = models.DateTimeField(null=True)
    hidden = models.BooleanField(default=False, db_default=False)

    class Meta:
        indexes = [
            # Whom a message goes to, and the list of members.
            models.Index(fields=["channel", "user"], name="member_of_channel", condition=Q(left_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.channel_id}"
