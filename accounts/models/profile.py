"""Permission profiles that a tenant made for itself."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from accounts.profiles import LAST_SYSTEM_ID, SYSTEM_PROFILES


@dataclass(frozen=True, slots=True)
class ProfileRef:
    """A profile as it stands beside a person, whether system or custom."""

    id: int
    name: str


def profile_refs(ids: Iterable[int]) -> dict[int, ProfileRef]:
    """Names by number: one query when there is a custom profile among them, else none."""
    wanted = set(ids)
    found = {number: ProfileRef(number, SYSTEM_PROFILES[number].name) for number in wanted & SYSTEM_PROFILES.keys()}
    custom = [number for number in wanted if number > LAST_SYSTEM_ID]
    if custom:
        rows = CustomProfile.objects.filter(id__in=custom).values_list("id", "name")
        found |= {number: ProfileRef(number, name) for number, name in rows}
    return found


class CustomProfile(models.Model):
    """A named set of permission numbers. ``id`` starts behind the system profiles' and is never given twice."""

    id = models.IntegerField(primary_key=True)
    name = models.CharField(max_length=100)
    # Trimmed, NFKC and lower-cased: what two names are compared by.
    name_key = models.CharField(max_length=100, unique=True)
    description = models.CharField(max_length=500, blank=True)
    permissions = ArrayField(models.IntegerField(), default=list)
    is_active = models.BooleanField(default=True)
    # Goes up with every change; clients send it back to notice somebody else's.
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"profile {self.id}"
