"""Giving a tenant another slug, or another name. The slug before leads to it for a while and is nobody else's."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from platform_site.binding import bind
from platform_site.errors import CONFLICT, VALIDATION_FAILED, PlatformError, invalid_field
from platform_site.journal.services import record
from platform_site.session_cache import forget_tenant
from tenancy import errors
from tenancy.catalog import TENANT_RENAMED
from tenancy.models import FormerSlug, Tenant
from tenancy.services import tenant_lock
from tenancy.slugs import slug_is_kept_back, slug_is_taken, slug_normalized, slug_refusal

# Links and bookmarks of people, and mails that are on their way, may be so old.
KEPT_BACK: Final = timedelta(days=90)
_RENAMED: Final = (Tenant.Status.ACTIVE, Tenant.Status.SUSPENDED)


@transaction.atomic
def tenant_rename(*, tenant_id: UUID, slug: str = "", name: str = "", actor: str = "") -> Tenant:
    """Change the slug, the name, or both; what is "" stays.

    The former slug works for signing in for ``KEPT_BACK``, and nobody else gets it; the tenant itself may have it
    back. Raises ``not_found``, ``slug_invalid``, ``slug_reserved``, ``slug_taken``, ``validation_failed``, and
    ``conflict`` for a tenant that is neither active nor suspended.
    """
    tenant = tenant_lock(tenant_id=tenant_id)
    if tenant.status not in _RENAMED:
        raise PlatformError(CONFLICT, f"This tenant is {tenant.get_status_display().lower()}.")
    before = {"slug": tenant.slug, "name": tenant.name}
    slug, name = slug_normalized(slug) or tenant.slug, name.strip() or tenant.name
    if len(name) > Tenant._meta.get_field("name").max_length:
        raise invalid_field("name", VALIDATION_FAILED, "A name has 1 to 100 characters.")
    if slug == tenant.slug and name == tenant.name:
        return tenant
    tenant.name = name
    if slug != tenant.slug:
        _take(tenant, slug)
    tenant.save(update_fields=["name", "updated_at"])
    # Session records carry the slug.
    forget_tenant(tenant.id)
    with bind(tenant.ref):
        after = {"slug": slug, "name": name}
        record(TENANT_RENAMED, subject=("tenant", tenant.id), data={"before": before, "after": after, "by": actor})
    return tenant


def _take(tenant: Tenant, slug: str) -> None:
    refused = slug_refusal(slug)
    if refused is not None:
        raise invalid_field("slug", refused)
    taken = invalid_field("slug", errors.SLUG_TAKEN)
    if slug_is_taken(slug, by_others_than=tenant.id):
        raise taken
    former, tenant.slug = tenant.slug, slug
    try:
        with transaction.atomic():
            tenant.save(update_fields=["slug", "updated_at"])
    except IntegrityError as error:
        if "slug" in str(error):
            raise taken from None
        raise
    # Whoever gave it up since we looked has committed before our row could be written.
    if slug_is_kept_back(slug, by_others_than=tenant.id):
        raise taken
    FormerSlug.objects.filter(slug=slug).delete()
    slug_keep_back(former, tenant.id)


def slug_keep_back(slug: str, tenant_id: UUID) -> None:
    """Let nobody else have this slug for a while, in the transaction in which the tenant gives it up."""
    now = timezone.now()
    FormerSlug.objects.update_or_create(
        slug=slug, defaults={"tenant_id": tenant_id, "freed_at": now, "until": now + KEPT_BACK}
    )
