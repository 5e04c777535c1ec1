"""How long is kept what staff did."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import QuerySet

from accounts.staff.models import StaffAct, StaffSession
from platform_site.retention import Retention, delete_in_batches, retentions


def old_acts(now: datetime) -> QuerySet[StaffAct]:
    return StaffAct.objects.filter(at__lt=now - timedelta(days=settings.STAFF_AUDIT_DAYS))


def old_sessions(now: datetime) -> QuerySet[StaffSession]:
    """Those that ended so long ago that what was done in them is gone, too."""
    return StaffSession.objects.filter(ends_at__lt=now - timedelta(days=settings.STAFF_AUDIT_DAYS))


# Acts are only ever added to: the application's role may not delete them.
retentions.add(
    Retention(
        "staff.acts",
        lambda now: old_acts(now).count(),
        lambda now: delete_in_batches(old_acts(now)),
        where="public",
        by_owner=True,
    )
)
retentions.add(
    Retention(
        "staff.sessions",
        lambda now: old_sessions(now).count(),
        lambda now: delete_in_batches(old_sessions(now)),
        where="public",
    )
)
