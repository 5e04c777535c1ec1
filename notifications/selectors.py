"""Reading notifications, inside the bound tenant."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Count, QuerySet

from accounts.models import User
from notifications.models import DoNotDisturb, Notification, Preference, TenantPreference
from notifications.quiet_hours import QuietHours
from notifications.wishes import EVERYTHING, Layers, Policy, keys_of
from platform_site.binding import require_tenant
from platform_site.errors import NOT_FOUND, PlatformError
from tenancy.models import Tenant


def inbox(*, user_id: int, unread: bool = False) -> QuerySet[Notification]:
    """What somebody sees, newest first."""
    rows = Notification.objects.filter(user_id=user_id, in_inbox=True, dismissed_at=None)
    if unread:
        rows = rows.filter(read_at=None)
    return rows.order_by("-id")


def unread_count(*, user_id: int) -> int:
    return inbox(user_id=user_id, unread=True).order_by().count()


def unread_counts(user_ids: Iterable[int]) -> Mapping[int, int]:
    """The count of each of these people, in one query."""
    rows = Notification.objects.filter(user_id__in=list(user_ids), in_inbox=True, dismissed_at=None, read_at=None)
    return dict(rows.values_list("user_id").annotate(count=Count("id")))


def notification_find(*, user_id: int, notification_id: UUID, lock: bool = False) -> Notification:
    """One of somebody's own, also one that is read; raises ``not_found`` for all others."""
    rows = inbox(user_id=user_id)
    if lock:
        rows = rows.select_for_update(of=("self",))
    found = rows.filter(id=notification_id).first()
    if found is None:
        raise PlatformError(NOT_FOUND)
    return found


def actors(notifications: Iterable[Notification]) -> dict[UUID, str]:
    """Names of those who caused them, by id: one query for all."""
    ids = {one.actor_id for one in notifications if one.actor_id}
    if not ids:
        return {}
    people = User.objects.filter(uuid__in=ids).only("id", "uuid", "first_name", "last_name", "email", "status")
    return {person.uuid: person.display_name for person in people}


def chosen(*, user_ids: Iterable[int], event_key: str | None = None) -> dict[tuple[int, str, str], Preference]:
    """What people chose, by person, event and channel; of one event, also what they chose for all that it is among."""
    rows = Preference.objects.filter(user_id__in=list(user_ids))
    if event_key is not None:
        rows = rows.filter(event_key__in=keys_of(event_key))
    return {(row.user_id, row.event_key, row.channel): row for row in rows}


def policy(*, event_key: str | None = None) -> Policy:
    """What the company wants of this event, or of all of them."""
    rows = TenantPreference.objects.all()
    if event_key is not None:
        rows = rows.filter(event_key__in=(event_key, EVERYTHING))
    found = {(row.event_key, row.channel): row for row in rows}
    return Policy(
        defaults={key: row.default_enabled for key, row in found.items()},
        enforced={key: row.enforced for key, row in found.items()},
    )


def layers(*, user_ids: Iterable[int], event_key: str | None = None) -> Layers:
    """All that decides what these people are told: two queries, however many they are."""
    own: dict[int, dict[tuple[str, str], bool]] = {}
    for (user_id, key, channel), row in chosen(user_ids=user_ids, event_key=event_key).items():
        own.setdefault(user_id, {})[key, channel] = row.enabled
    return Layers(policy(event_key=event_key), own)


def zone_of(user: User, company: str) -> str:
    """The zone in which somebody lives: the profile's, else the company's."""
    return user.timezone or company or "UTC"


def company_zone() -> str:
    return Tenant.objects.values_list("timezone", flat=True).get(id=require_tenant().id) or "UTC"


def quiet_hours_of(row: DoNotDisturb, zone: str) -> QuietHours:
    return QuietHours(
        start=row.start_minute,
        end=row.end_minute,
        timezone=row.timezone or zone,
        days=frozenset(row.days),
        snooze_until=row.snooze_until,
    )


def held_until(row: DoNotDisturb | None, zone: str, now: datetime) -> datetime | None:
    """Until when mail to this person has to wait; None when it may go."""
    if row is None or not row.enabled:
        return None
    return quiet_hours_of(row, zone).until(now)


def quiet_until(user: User, now: datetime) -> datetime | None:
    """Until when mail to this person has to wait, as the quiet hours are now; one query for who has none."""
    row = DoNotDisturb.objects.filter(user=user, enabled=True).first()
    return held_until(row, zone_of(user, company_zone()), now) if row else None
