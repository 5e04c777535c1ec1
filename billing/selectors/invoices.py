"""Invoices, which are Stripe's alone: read there each time, never kept here."""

import re
from collections.abc import Sequence
from uuid import UUID

from billing.selectors.accounts import account_of
from billing.stripe_api import Missing, Object, stripe_api
from platform_site.errors import VALIDATION_FAILED, invalid_field

_INVOICE = re.compile(r"in_[A-Za-z0-9_]{1,60}", re.ASCII)


def invoices_of(*, tenant_id: UUID, limit: int, starting_after: str | None = None) -> tuple[Sequence[Object], bool]:
    """One page of the tenant's invoices, newest first, and whether there are more.

    Raises ``validation_failed`` for an id that is none of theirs, ``billing_not_configured``.
    """
    api = stripe_api()
    if starting_after is not None and not _INVOICE.fullmatch(starting_after):
        raise invalid_field("startingAfter", VALIDATION_FAILED, "This is no id of an invoice.")
    customer_id = account_of(tenant_id=tenant_id).customer_id
    if customer_id is None:
        return [], False
    try:
        page = api.invoices_of(customer_id, limit=limit, starting_after=starting_after or "")
    except Missing:
        raise invalid_field("startingAfter", VALIDATION_FAILED, "There is no such invoice.") from None
    return page["data"], page["has_more"]
