"""What staff may do, by role: a table, read by pages and by services alike.

Each role may do what the one before it may. ``VIEWER`` looks, ``SUPPORT`` helps people
of one tenant at a time, ``OPERATOR`` changes tenants, ``SUPERUSER`` says who is staff.
"""

from django.db import models


class StaffRole(models.TextChoices):
    VIEWER = "viewer"
    SUPPORT = "support"
    OPERATOR = "operator"
    SUPERUSER = "superuser"

    @property
    def rank(self) -> int:
        return list(StaffRole).index(self)

    def reaches(self, needed: "StaffRole") -> bool:
        return self.rank >= needed.rank
