"""What the set-up asks of mail, and what about mail and notifications waits for people."""

from django.conf import settings
from django.db.models import Q

from notifications.email_settings.deliverability import deliverability_state
from notifications.email_settings.domain_records import PASS, WARN
from notifications.email_settings.read import sender_settings
from notifications.email_settings.smtp_server import server_row
from notifications.models import Notification
from platform_site.action_items import NOTHING, ActionItem, Counts, Found, Window, found
from platform_site.api.identity import Identity
from platform_site.notification_events import notification_events
from platform_site.setup_tasks import CheckResult

# Where the database comes with the platform there is mostly no domain to send from either.
DOMAIN_IS_REQUIRED: bool = not settings.EMBEDDED_DATABASE


def sender_is_set() -> CheckResult:
    """Whether the company says from whom its mail is: a name of the sender's, or where answers go."""
    sender = sender_settings()
    return CheckResult(bool(sender.from_name or sender.reply_to), sender.from_name)


def server_is_tested() -> CheckResult:
    """Whether the company's own server took a test mail with the values that it has now."""
    server = server_row()
    if server is None:
        return CheckResult(False, "Mail goes by the platform's server.", 0.0)
    tested = server.enabled and server.verified_at is not None
    return CheckResult(tested, server.host, 1.0 if tested else 0.5)


def sends_from_a_domain() -> bool:
    """Whether the company's mail comes from a domain of its own."""
    return bool(deliverability_state().domain)


def domain_is_fine() -> CheckResult:
    """What the DNS said when it was last asked; this asks nobody."""
    state = deliverability_state()
    return CheckResult(state.status in (PASS, WARN), f"{state.domain}: {state.status}" if state.domain else "")


def mail_server_fails(asker: Identity, window: Window) -> Found:
    """That the company's own mail server does not work. One query."""
    server = server_row()
    if server is None or not server.enabled or not server.failures:
        return NOTHING
    paused = server.paused_until is not None and server.paused_until > window.now
    item = ActionItem(
        id="email:smtp",
        app="notifications",
        type="smtp_paused" if paused else "smtp_failing",
        title=f"Your mail server {server.host} does not work",
        url="/settings/email",
        priority="urgent" if paused else "high",
        created_at=server.updated_at,
    )
    return found([item], window)


def notifications_to_act_on(asker: Identity, window: Window) -> Found:
    """Unread notifications that are urgent and lead somewhere. Two queries."""
    priorities = {event.key: event.severity for event in notification_events if event.severity in ("high", "urgent")}
    wanted = Q(event_key__in=priorities) & ~Q(action_url="")
    rows = Notification.objects.filter(
        wanted, user_id=asker.user_id, in_inbox=True, dismissed_at=None, read_at=None
    ).order_by("-id")
    items = [
        ActionItem(
            id=f"notifications:{told.id}",
            app="notifications",
            type="notification",
            title=told.title,
            url=told.action_url,
            priority=priorities[told.event_key],
            created_at=told.created_at,
        )
        for told in rows[: window.limit]
    ]
    return Found(items, Counts(total=rows.count()))
