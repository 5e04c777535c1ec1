"""Addresses that get no mail, for staff: seeing them, and letting mail go to one again."""

from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from notifications import catalog
from notifications.models import Suppression
from platform_site.errors import NOT_FOUND, PlatformError
from platform_site.journal.services import record


def suppressions() -> QuerySet[Suppression]:
    """Those that count, newest first."""
    return Suppression.objects.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now())).order_by("-id")


@transaction.atomic
def suppression_lift(suppression_id: UUID) -> None:
    """Raises ``not_found``."""
    found = Suppression.objects.select_for_update().filter(id=suppression_id).first()
    if found is None:
        raise PlatformError(NOT_FOUND)
    found.delete()
    record(
        catalog.SUPPRESSION_LIFTED,
        subject=("suppression", suppression_id),
        data={"reason": found.reason, "scope": found.scope},
    )
