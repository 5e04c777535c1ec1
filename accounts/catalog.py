"""What accounts adds to the platform's catalogues. Numbers 1 to 19 of the permissions are its own."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from accounts import errors, key_uses, setting_up
from accounts.directory.services import directory_rebuild_bound
from accounts.models import SecondFactor
from accounts.services.avatars import avatar_addresses_renew
from platform_site.action_items import ActionSource, action_sources
from platform_site.api.identity import Identity
from platform_site.derived_values import DerivedValue, derived_values
from platform_site.errors import PlatformError
from platform_site.journal.keys import journal_key
from platform_site.moments import read_moment
from platform_site.permissions import permission
from platform_site.sealed_columns import SealedColumn, sealed_columns
from platform_site.setup_tasks import SetupTask, setup_task
from tenancy.org_settings.registry import OrgSettingDefinition, org_setting

USERS_VIEW = permission("users.view", 1, "See people")
USERS_INVITE = permission("users.invite", 2, "Invite people", min_role="manager")
USERS_EDIT = permission("users.edit", 3, "Edit people", min_role="manager")
USERS_DEACTIVATE = permission("users.deactivate", 4, "Deactivate and delete people", min_role="tenant_admin")
PROFILES_VIEW = permission("profiles.view", 5, "See permission profiles")
PROFILES_MANAGE = permission("profiles.manage", 6, "Manage permission profiles", min_role="tenant_admin")
AUDIT_VIEW = permission("audit.view", 7, "See the audit log", min_role="tenant_admin")
API_KEYS_MANAGE = permission("api_keys.manage", 8, "Manage API keys", min_role="tenant_admin")

USER_REGISTERED = journal_key("accounts.user_registered", "The tenant's first administrator signed up")
EMAIL_VERIFIED = journal_key("accounts.email_verified", "Somebody proved that an address is theirs")
VERIFICATION_REQUESTED = journal_key("accounts.verification_requested", "Somebody asked for another verification mail")
SIGNED_IN = journal_key("accounts.signed_in", "Somebody signed in")
SIGNED_OUT = journal_key("accounts.signed_out", "Somebody ended a session or all of them")
SIGN_IN_BLOCKED = journal_key("accounts.sign_in_blocked", "Sign-in was blocked after too many wrong passwords")
REFRESH_REUSED = journal_key("accounts.refresh_token_reused", "An old refresh token came back; its session was ended")
REAUTHENTICATED = journal_key("accounts.reauthenticated", "Somebody proved again who is there")

PASSWORD_RESET_REQUESTED = journal_key("accounts.password_reset_requested", "A reset link was asked for")
PASSWORD_RESET = journal_key("accounts.password_reset", "A password was set anew with a mailed link")
PASSWORD_CHANGED = journal_key("accounts.password_changed", "Somebody changed the own password")

MFA_ENABLED = journal_key("accounts.mfa_enabled", "Somebody set up a second factor")
MFA_DISABLED = journal_key("accounts.mfa_disabled", "Somebody's second factor was taken off")
MFA_BLOCKED = journal_key("accounts.mfa_blocked", "Codes were blocked after too many wrong ones")
RECOVERY_CODES_MADE = journal_key("accounts.recovery_codes_made", "Somebody made new recovery codes")
RECOVERY_CODE_USED = journal_key("accounts.recovery_code_used", "Somebody signed in with a recovery code")

USER_INVITED = journal_key("accounts.user_invited", "Somebody was invited")
INVITATION_RESENT = journal_key("accounts.invitation_resent", "An invitation was sent again")
INVITATION_ACCEPTED = journal_key("accounts.invitation_accepted", "Somebody accepted an invitation")
USER_UPDATED = journal_key("accounts.user_updated", "Somebody's name, role, profile or address was changed")
USER_DEACTIVATED = journal_key("accounts.user_deactivated", "Somebody was deactivated")
USER_ACTIVATED = journal_key("accounts.user_activated", "Somebody was activated again")
USER_ERASED = journal_key("accounts.user_erased", "Somebody was deleted for good")
OWN_PROFILE_UPDATED = journal_key(
    "accounts.own_profile_updated", "Somebody changed the own phone, picture, time zone or language", audited=False
)

PROFILE_CREATED = journal_key("accounts.profile_created", "A permission profile was made")
PROFILE_UPDATED = journal_key("accounts.profile_updated", "A permission profile was changed")
PROFILE_DEACTIVATED = journal_key("accounts.profile_deactivated", "A permission profile was deactivated")
PROFILE_ACTIVATED = journal_key("accounts.profile_activated", "A permission profile was activated again")

API_KEY_CREATED = journal_key("accounts.api_key_created", "An API key was made")
API_KEY_REVOKED = journal_key("accounts.api_key_revoked", "An API key was revoked")


def _has_one_already(actor: Identity, required: bool) -> None:
    """Whoever asks everybody for a second factor has one, and so is not the first to be locked out."""
    from accounts.services.second_factor import has_second_factor, person_lock

    if not required:
        return
    # With the lock, nobody takes the own one off meanwhile because nobody asks for it yet.
    if not actor.is_person or not has_second_factor(person_lock(id=actor.user_id).id):
        raise PlatformError(errors.MFA_NOT_ENABLED, "Set up your own second factor first.")


# The furthest moment up to which support may be let to read messages.
MESSAGE_ACCESS_LONGEST = timedelta(days=7)


def _within_a_week(value: str) -> str:
    moment, now = read_moment(value), timezone.now()
    if moment <= now:
        raise ValueError("This is over already. Give null to end the access.")
    if moment > now + MESSAGE_ACCESS_LONGEST:
        raise ValueError(f"This may be at most {MESSAGE_ACCESS_LONGEST.days} days ahead.")
    return value


def _ends_impersonations(allowed: bool) -> None:
    """Whoever switches it off is rid of those who are there. Both take the tenant's lock, so that none slips by."""
    from accounts.services.impersonations import impersonations_end

    if not allowed:
        impersonations_end(reason="switched_off")


def _is_seen_by_impersonators(until: datetime | None) -> None:
    from accounts.services.impersonations import impersonations_forget

    impersonations_forget()


# A tenant may be stricter than the platform, never laxer.
PASSWORD_MIN_LENGTH = org_setting(
    OrgSettingDefinition(
        key="security.password_min_length",
        label="Shortest password, in characters",
        kind="whole",
        default=lambda: settings.PASSWORD_MIN_LENGTH,
        minimum=lambda: settings.PASSWORD_MIN_LENGTH,
        maximum=lambda: max(settings.PASSWORD_MIN_LENGTH, 64),
    )
)
SESSION_IDLE_MINUTES = org_setting(
    OrgSettingDefinition(
        key="security.session_idle_minutes",
        label="Minutes after which an unused session ends",
        kind="whole",
        default=lambda: settings.SESSION_IDLE_SECONDS // 60,
        minimum=lambda: min(settings.SESSION_IDLE_SECONDS // 60, 5),
        maximum=lambda: settings.SESSION_IDLE_SECONDS // 60,
    )
)
SESSION_ABSOLUTE_HOURS = org_setting(
    OrgSettingDefinition(
        key="security.session_absolute_hours",
        label="Hours after which every session ends",
        kind="whole",
        default=lambda: settings.SESSION_ABSOLUTE_SECONDS // 3600,
        minimum=lambda: 1,
        maximum=lambda: settings.SESSION_ABSOLUTE_SECONDS // 3600,
    )
)
MFA_REQUIRED = org_setting(
    OrgSettingDefinition(
        key="security.mfa_required",
        label="Everybody needs a second factor",
        kind="flag",
        default=lambda: False,
        guard=_has_one_already,
    )
)
IMPERSONATION = org_setting(
    OrgSettingDefinition(
        key="support.impersonation",
        label="Support may sign in as one of your people, with a reason, for a quarter of an hour",
        kind="flag",
        default=lambda: True,
        read_role="tenant_admin",
        effect=_ends_impersonations,
    )
)
MESSAGE_ACCESS_UNTIL = org_setting(
    OrgSettingDefinition(
        key="support.message_access_until",
        label="Until when support may read messages, a week at most; null for not at all",
        kind="moment",
        default=lambda: None,
        read_role="tenant_admin",
        validate=_within_a_week,
        effect=_is_seen_by_impersonators,
    )
)
SEATS_WHEN_FULL = org_setting(
    OrgSettingDefinition(
        key="seats.when_full",
        label="What happens to an invitation when all seats are taken",
        kind="choice",
        choices=("refuse", "exceed"),
        default=lambda: "refuse",
    )
)

setup_task(
    SetupTask(
        code="accounts.verify_email",
        title="Confirm your e-mail address",
        description="So that you can be written to, also when you forget your password.",
        category="account",
        order=10,
        check=setting_up.administrator_verified,
        action_path="/account",
        estimate_minutes=1,
        advanced_by=(EMAIL_VERIFIED, INVITATION_ACCEPTED),
    )
)
setup_task(
    SetupTask(
        code="accounts.invite_team",
        title="Invite your team",
        description="Invite at least one colleague. It is done when somebody has accepted.",
        category="team",
        order=30,
        check=setting_up.team_is_there,
        weight=2,
        action_path="/users",
        advanced_by=(USER_INVITED, INVITATION_ACCEPTED, USER_ACTIVATED, USER_DEACTIVATED),
    )
)
action_sources.add(ActionSource("verification", setting_up.own_address))
action_sources.add(ActionSource("invitations", setting_up.invitations_out, needs=USERS_INVITE))


def _second_factor_place(row: SecondFactor) -> str:
    # Not at the top: the services import this file.
    from accounts.services.second_factor import place

    return place(row.user_id)


sealed_columns.add(
    SealedColumn(
        key="accounts.second_factors",
        model="accounts.SecondFactor",
        column="sealed_secret",
        place=_second_factor_place,
        sealed_by="accounts.services.second_factor_setup.second_factor_begin",
    )
)
derived_values.add(
    DerivedValue("accounts.sessions", key_uses.sessions_by_key, ends_after=key_uses.session_seconds),
)
derived_values.add(DerivedValue("accounts.links", key_uses.links_by_key, ends_after=key_uses.link_seconds))
# Compared by their hash, so that a tenant's services need no new ones.
derived_values.add(DerivedValue("accounts.api_keys", key_uses.api_keys_by_key, outlives=True))
derived_values.add(DerivedValue("accounts.directory", key_uses.directory_by_key, renew=directory_rebuild_bound))
derived_values.add(DerivedValue("accounts.pictures", key_uses.pictures_by_key, renew=avatar_addresses_renew))
