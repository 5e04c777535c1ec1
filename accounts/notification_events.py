"""What accounts wants people to be told. The mails about security are sent by ``accounts.reactions`` themselves."""

from collections.abc import Iterable, Mapping
from typing import Any

from accounts import catalog
from accounts.models import LinkToken, User
from accounts.roles import Role
from accounts.staff.catalog import IMPERSONATION_STARTED
from platform_site.journal.models import JournalEntry
from platform_site.notification_events import EMAIL, IN_APP, NotificationEvent, Trigger, notification_event


def _subject(entry: JournalEntry) -> Iterable[int]:
    """The person whom the entry is about, unless they did it themselves."""
    if str(entry.actor_id) == entry.subject_id:
        return []
    return User.objects.filter(uuid=entry.subject_id).values_list("id", flat=True)


def _owner(entry: JournalEntry) -> Iterable[int]:
    """The person whom the entry is about, whoever did it."""
    return User.objects.filter(uuid=entry.subject_id).values_list("id", flat=True)


def _whose_rights_changed(entry: JournalEntry) -> Iterable[int]:
    return _subject(entry) if {"role", "profileId"} & set(entry.data.get("changed", [])) else []


def _role(entry: JournalEntry) -> Mapping[str, Any]:
    user = User.objects.get(uuid=entry.subject_id)
    return {"role": user.get_role_display(), "profile": user.profile.name}


def _new_device(entry: JournalEntry) -> Iterable[int]:
    return _owner(entry) if entry.data.get("newDevice") else []


def _inviters(entry: JournalEntry) -> Iterable[int]:
    links = LinkToken.objects.filter(user__uuid=entry.subject_id, kind=LinkToken.Kind.INVITATION, used_at__isnull=False)
    return links.exclude(sender=None).values_list("sender_id", flat=True)


def _name(entry: JournalEntry) -> Mapping[str, Any]:
    return {"name": User.objects.get(uuid=entry.subject_id).display_name}


def _administrators(entry: JournalEntry) -> Iterable[int]:
    return User.objects.filter(role=Role.TENANT_ADMIN, status=User.Status.ACTIVE).values_list("id", flat=True)


def _impersonation(entry: JournalEntry) -> Mapping[str, Any]:
    return {**_name(entry), "by": entry.data["by"], "reason": entry.data["reason"]}


ROLE_CHANGED = notification_event(
    NotificationEvent(
        key="users.role_changed",
        label="Your role was changed",
        description="When an administrator gives you another role or permission profile.",
        title="Your role is now {{ role }}",
        body="Your permission profile is {{ profile }}.",
        sample={"role": "Manager", "profile": "Manager"},
        channels={IN_APP: True, EMAIL: True},
        category="transactional",
        trigger=Trigger(catalog.USER_UPDATED, _whose_rights_changed, _role),
    )
)
INVITATION_ACCEPTED = notification_event(
    NotificationEvent(
        key="users.invitation_accepted",
        label="An invitation of yours was accepted",
        description="When somebody whom you invited signs in for the first time.",
        title="{{ name }} accepted your invitation",
        body="",
        sample={"name": "Jane Doe"},
        channels={IN_APP: True, EMAIL: False},
        trigger=Trigger(catalog.INVITATION_ACCEPTED, _inviters, _name),
    )
)
PASSWORD_CHANGED = notification_event(
    NotificationEvent(
        key="auth.password_changed",
        label="Your password was changed",
        description="When your password was changed or reset. A mail is always sent as well.",
        title="Your password was changed",
        body="If it was not you, reset it at once.",
        sample={},
        channels={IN_APP: True},
        category="security",
        severity="urgent",
        mandatory=frozenset({IN_APP}),
        trigger=Trigger(catalog.PASSWORD_CHANGED, _owner),
    )
)
NEW_DEVICE = notification_event(
    NotificationEvent(
        key="auth.new_device",
        label="A new device signed in",
        description="When somebody signs in as you on a device that was not seen before. A mail always goes as well.",
        title="A new device signed in",
        body="If it was not you, change your password: that ends all other sessions.",
        sample={},
        channels={IN_APP: True},
        category="security",
        severity="urgent",
        mandatory=frozenset({IN_APP}),
        trigger=Trigger(catalog.SIGNED_IN, _new_device),
    )
)
IMPERSONATED = notification_event(
    NotificationEvent(
        key="support.impersonated",
        label="Support signed in as somebody",
        description="When support signs in as one of your people. The audit log has what was done.",
        title="Support signed in as {{ name }}",
        body="{{ by }} gave as the reason: {{ reason }}",
        sample={"name": "Jane Doe", "by": "nora@platform.example", "reason": "The invoice page stays empty"},
        channels={IN_APP: True, EMAIL: False},
        category="security",
        mandatory=frozenset({IN_APP}),
        trigger=Trigger(IMPERSONATION_STARTED, _administrators, _impersonation),
    )
)
