"""Accounts: made when they are first needed, locked by whoever decides about them, heard of by all sessions."""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from billing.models import BillingAccount, BillingChange
from billing.selectors.accounts import first_account
from billing.selectors.allowance import has_bought
from billing.state import access_of
from platform_site.errors import NOT_FOUND, PlatformError
from platform_site.session_cache import forget_tenant
from tenancy.models import Tenant

# What a tenant's plan is called that has bought none.
TRIAL: Final = "trial"


def account_lock(*, tenant_id: UUID) -> BillingAccount:
    """The tenant's account, locked until the caller's transaction ends; made where there is none. Raises ``not_found``.

    A new row carries the trial, and with it from when on the tenant may only read.
    """
    account = _all_locked().filter(pk=tenant_id).first()
    if account is not None:
        return account
    tenant = Tenant.objects.filter(id=tenant_id).first()
    if tenant is None:
        raise PlatformError(NOT_FOUND)
    BillingAccount.objects.bulk_create([first_account(tenant, timezone.now())], ignore_conflicts=True)
    # Made by us, or by somebody else at the same moment.
    account = _all_locked().get(pk=tenant_id)
    access_write(account)
    return account


def _all_locked() -> QuerySet[BillingAccount]:
    return BillingAccount.objects.select_for_update(of=("self",)).select_related("tenant")


def access_write(account: BillingAccount) -> None:
    """Write what follows from the account on the tenant, where every request finds it, if that is not there yet."""
    access = access_of(account)
    plan = account.plan_id if has_bought(account) else TRIAL
    tenant = account.tenant
    wanted = (access.read_only_from, access.blocked_from, access.reason, plan)
    if (tenant.read_only_from, tenant.blocked_from, tenant.access_reason, tenant.plan) == wanted:
        return
    tenant.read_only_from, tenant.blocked_from, tenant.access_reason, tenant.plan = wanted
    tenant.save(update_fields=["read_only_from", "blocked_from", "access_reason", "plan", "updated_at"])
    forget_tenant(tenant.id)


def account_changed(
    account: BillingAccount,
    kind: str,
    *,
    by: str = "",
    reason: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Note for staff who changed what."""
    BillingChange.objects.create(
        account=account, kind=kind, by=by, reason=reason, before=dict(before or {}), after=dict(after or {})
    )


def accounts_open(*, most: int = 500) -> int:
    """Make the accounts of tenants that have none, so that their trials end. Gives how many."""
    without = Tenant.objects.filter(status=Tenant.Status.ACTIVE, billing=None).order_by("created_at")
    ids = list(without.values_list("id", flat=True)[:most])
    for tenant_id in ids:
        with transaction.atomic():
            account_lock(tenant_id=tenant_id)
    return len(ids)
