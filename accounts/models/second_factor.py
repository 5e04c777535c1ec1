"""The second factor: a time-based code (RFC 6238) and its recovery codes."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from accounts.models.user import User


class SecondFactor(models.Model):
    """One person's authenticator app. It counts from ``confirmed_at`` on; before, set-up is under way."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="second_factor")
    # Sealed for this person (platform_site.keys.seal).
    sealed_secret = models.BinaryField(max_length=200)
    confirmed_at = models.DateTimeField(null=True)
    # The number of the 30-second step whose code was used last: a code is good once.
    last_step = models.BigIntegerField(default=0)
    # Hashes of the recovery codes that are left.
    recovery_hashes = ArrayField(models.BinaryField(max_length=32), default=list)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"second factor of user {self.user_id}"
