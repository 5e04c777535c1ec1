"""What staff may do about a tenant's billing: more time to pay, and no payment at all. Each with a reason."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from billing import catalog, errors
from billing.models import BillingAccount
from billing.services.accounts import access_write, account_changed, account_lock
from billing.services.syncing import journal_of
from platform_site.errors import VALIDATION_FAILED, PlatformError, invalid_field
from platform_site.journal.keys import JournalKey
from platform_site.journal.services import record

REASON_LENGTH = 500


@transaction.atomic
def grace_extend(*, tenant_id: UUID, until: datetime, reason: str, by: str) -> BillingAccount:
    """Let everything work until then, whatever was paid. One extension at a time.

    Raises ``validation_failed`` for a moment that is over or a reason that is missing, and ``grace_active``.
    """
    _check(reason)
    now = timezone.now()
    if until <= now:
        raise invalid_field("until", VALIDATION_FAILED, "This moment is over.")
    account = account_lock(tenant_id=tenant_id)
    if account.grace_until is not None and account.grace_until > now:
        raise PlatformError(errors.GRACE_ACTIVE, context={"until": account.grace_until.isoformat()})
    account.grace_until = until
    _save(account, "extended_grace", catalog.GRACE_EXTENDED, reason, by, {"until": until.isoformat()})
    return account


@transaction.atomic
def grace_end(*, tenant_id: UUID, reason: str, by: str) -> BillingAccount:
    """Take an extension back. Again is fine."""
    _check(reason)
    account = account_lock(tenant_id=tenant_id)
    if account.grace_until is not None:
        account.grace_until = None
        _save(account, "ended_grace", catalog.GRACE_EXTENDED, reason, by, {"until": None})
    return account


@transaction.atomic
def comp(*, tenant_id: UUID, is_comped: bool, until: datetime | None = None, reason: str, by: str) -> BillingAccount:
    """Make the workspace free of charge, perhaps until a moment, or let it pay again.

    A subscription that is there goes on: cancel it as well if nobody should pay.
    """
    _check(reason)
    if until is not None and until <= timezone.now():
        raise invalid_field("until", VALIDATION_FAILED, "This moment is over.")
    account = account_lock(tenant_id=tenant_id)
    account.is_comped, account.comped_until = is_comped, until if is_comped else None
    after = {"comped": is_comped, "until": until.isoformat() if until and is_comped else None}
    _save(account, "comped", catalog.COMPED, reason, by, after)
    return account


def _check(reason: str) -> None:
    if not 1 <= len(reason.strip()) <= REASON_LENGTH:
        raise invalid_field("reason", VALIDATION_FAILED, f"Give a reason of up to {REASON_LENGTH} characters.")


def _save(
    account: BillingAccount, kind: str, key: JournalKey, reason: str, by: str, after: Mapping[str, object]
) -> None:
    account.save()
    access_write(account)
    account_changed(account, kind, by=by, reason=reason.strip(), after=after)
    with journal_of(account) as written:
        if written:
            record(key, subject=("billing", account.tenant_id), data={**after, "reason": reason.strip(), "by": by})
