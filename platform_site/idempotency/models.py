"""Answers kept for replay."""

from django.db import models
from django.db.models.functions import Now


class IdempotencyFields(models.Model):
    """What an answer needs to be given again; the body is sealed because it may hold tokens."""

    key_hash = models.BinaryField(max_length=32, primary_key=True)
    body_hash = models.BinaryField(max_length=32)
    status = models.PositiveSmallIntegerField()
    answer = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return bytes(self.key_hash).hex()


class IdempotencyRecord(IdempotencyFields):
    """One creating request of one signed-in caller in this tenant."""

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="idempotency_purge")]
