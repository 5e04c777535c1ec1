"""What the set-up asks of people, and what waits for them: what the data of accounts say about it."""

from typing import Final

from django.db.models import Count, Q

from accounts.models import LinkToken, User
from accounts.roles import Role
from platform_site.action_items import NOTHING, ActionItem, Counts, Found, Window, found
from platform_site.api.identity import Identity
from platform_site.setup_tasks import CheckResult

# A team is two.
TEAM: Final = 2


def administrator_verified() -> CheckResult:
    """Whether an administrator can be written to."""
    administrators = User.objects.filter(role=Role.TENANT_ADMIN, status=User.Status.ACTIVE)
    return CheckResult(administrators.filter(email_verified_at__isnull=False).exists())


def team_is_there() -> CheckResult:
    """Somebody is invited: half of it. Somebody came: done."""
    counts = User.objects.aggregate(
        active=Count("id", filter=Q(status=User.Status.ACTIVE)),
        pending=Count("id", filter=Q(status=User.Status.PENDING)),
    )
    progress = 1.0 if counts["active"] >= TEAM else 0.5 if counts["pending"] else 0.0
    detail = f"{counts['active']} active, {counts['pending']} invited"
    return CheckResult(counts["active"] >= TEAM, detail, progress)


def own_address(asker: Identity, window: Window) -> Found:
    """That one's own address is not confirmed yet. No query."""
    if asker.email_verified:
        return NOTHING
    item = ActionItem(
        id=f"verification:{asker.user_uuid}",
        app="accounts",
        type="verify_email",
        title="Confirm your e-mail address",
        url="/account",
        priority="high",
    )
    return found([item], window)


def invitations_out(asker: Identity, window: Window) -> Found:
    """Invitations that nobody accepted yet. Each is due when its link ends. Two queries."""
    out = LinkToken.objects.filter(
        kind=LinkToken.Kind.INVITATION, used_at=None, superseded_at=None, user__status=User.Status.PENDING
    )
    counts = out.aggregate(
        total=Count("id"),
        overdue=Count("id", filter=Q(expires_at__lt=window.today)),
        due_today=Count("id", filter=Q(expires_at__gte=window.today, expires_at__lt=window.tomorrow)),
        due_soon=Count("id", filter=Q(expires_at__gte=window.today, expires_at__lt=window.soon)),
    )
    first = out.select_related("user").order_by("expires_at", "id")[: window.limit]
    items = [
        ActionItem(
            id=f"invitations:{link.user.uuid}",
            app="accounts",
            type="invitation",
            title=f"{link.user.display_name} has not accepted the invitation",
            url=f"/users/{link.user.uuid}",
            priority="high" if link.expires_at <= window.now else "normal",
            due_at=link.expires_at,
            created_at=link.created_at,
        )
        for link in first
    ]
    return Found(items, Counts(**counts))
