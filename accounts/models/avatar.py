"""Pictures of people, small and re-encoded."""

from django.db import models
from django.db.models.functions import Now

from accounts.models.user import User


class Avatar(models.Model):
    """One person's picture as WebP. A new picture has a new ``id`` and so a new address."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, primary_key=True, related_name="avatar")
    id = models.UUIDField(unique=True)
    image = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return f"avatar of user {self.user_id}"
