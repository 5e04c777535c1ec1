"""Notices about a second factor, and what follows when a tenant begins to ask everybody for one."""

from accounts import catalog
from accounts.reactions.mailing import mail_subject
from accounts.services.second_factor_setup import sessions_end_without_second_factor
from platform_site.journal.models import JournalEntry
from platform_site.outbox.registry import reaction
from tenancy.org_settings.catalog import SETTING_CHANGED
from tenancy.org_settings.selectors import setting_value


@reaction(to=catalog.MFA_ENABLED, outside=True)
def mail_mfa_enabled(entry: JournalEntry) -> None:
    mail_subject(entry, "mfa_enabled")


@reaction(to=catalog.MFA_DISABLED, outside=True)
def mail_mfa_disabled(entry: JournalEntry) -> None:
    """Whoever took it off, the owner is told."""
    mail_subject(entry, "mfa_disabled", by_administrator=bool(entry.data.get("byAdministrator")))


@reaction(to=catalog.RECOVERY_CODES_MADE, outside=True)
def mail_recovery_codes_made(entry: JournalEntry) -> None:
    mail_subject(entry, "recovery_codes_made")


@reaction(to=catalog.RECOVERY_CODE_USED, outside=True)
def mail_recovery_code_used(entry: JournalEntry) -> None:
    mail_subject(entry, "recovery_code_used", left=int(entry.data["left"]))


@reaction(to=catalog.MFA_BLOCKED, outside=True)
def mail_mfa_blocked(entry: JournalEntry) -> None:
    """Codes are asked for after the right password, so somebody else may have it."""
    mail_subject(entry, "mfa_blocked", minutes=int(entry.data["minutes"]))


@reaction(to=SETTING_CHANGED)
def end_sessions_without_second_factor(entry: JournalEntry) -> None:
    """People without a second factor have to set one up at their next sign-in, so there has to be one."""
    if entry.data.get("key") != catalog.MFA_REQUIRED.key or entry.data.get("after") is not True:
        return
    # Taken back in the meantime: then nobody needs to go.
    if setting_value(catalog.MFA_REQUIRED):
        sessions_end_without_second_factor()
