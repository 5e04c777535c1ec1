"""What the commands that walk over all tenants have in common."""

from collections.abc import Iterator

from django_tenants.utils import get_tenant_model

from platform_site.binding import TenantRef

# Whoever has a schema, also while nobody may work in it.
STATUSES = ("active", "suspended", "pending_deletion")


def tenants_with_schema() -> Iterator[TenantRef]:
    """By id, read in pages so that ten thousand fit."""
    rows = get_tenant_model().objects.filter(status__in=STATUSES).order_by("id")
    after = None
    while True:
        page = list(
            (rows.filter(id__gt=after) if after else rows).values_list("id", "schema_name", "slug", "status")[:500]
        )
        if not page:
            return
        yield from (TenantRef(*row) for row in page)
        after = page[-1][0]
