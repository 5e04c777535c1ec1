"""Asking the directory. What it says is a hint: look into the tenant before telling anybody."""

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from accounts.directory.models import DirectoryEntry
from accounts.directory.services import address_hash
from accounts.emails import email_key


@dataclass(frozen=True, slots=True)
class Listed:
    """One person of one tenant. ``status`` is as of the last reaction."""

    tenant_id: UUID
    user_uuid: UUID
    status: str


def people_of_address(email: str) -> list[Listed]:
    """Everybody behind the address, in every tenant and of every status, by tenant. For staff, and read only."""
    key = email_key(email)
    hashes = [address_hash(key_id, key) for key_id, _ in settings.TOKEN_KEYS]
    rows = DirectoryEntry.objects.filter(email_hash__in=hashes).order_by("tenant_id", "user_uuid")
    return [Listed(*row) for row in rows.values_list("tenant_id", "user_uuid", "status")]


def tenants_of_address(email: str) -> list[UUID]:
    """Ids of the tenants in which the address may be somebody's, each once."""
    return list(dict.fromkeys(found.tenant_id for found in people_of_address(email)))
