"""Keeping the directory. Rows are written from a person's present state, so repeats and a wrong order do no harm."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.directory.models import DirectoryEntry
from accounts.models import User
from platform_site.binding import require_tenant
from platform_site.keys import current_token_key, derived_secret, fingerprint

BATCH = 500


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """``written`` people of one tenant, and ``removed`` rows of people it does not have."""

    written: int
    removed: int


def address_hash(key_id: str, email_key: str) -> bytes:
    """What stands in the directory for an address: 32 bytes that say nothing without the platform's key."""
    return fingerprint(derived_secret(key_id, "directory", email_key))


@transaction.atomic
def directory_sync(*, user_uuid: UUID) -> None:
    """Make the row of this person of the bound tenant what the person is now; none for who is erased or gone."""
    # The lock lets two reactions to two changes of one person write one after the other.
    user = User.objects.select_for_update(no_key=True).filter(uuid=user_uuid).first()
    if user is None or user.status == User.Status.ERASED:
        DirectoryEntry.objects.filter(user_uuid=user_uuid, tenant_id=require_tenant().id).delete()
        return
    _write([user])


def directory_rebuild_bound() -> Rebuilt:
    """Write all rows of the bound tenant anew, with the current key, and remove what belongs to nobody."""
    # Read before the people are: whoever is erased meanwhile is removed by the reaction.
    listed = set(DirectoryEntry.objects.filter(tenant_id=require_tenant().id).values_list("user_uuid", flat=True))
    present: set[UUID] = set()
    after = 0
    while page := _rewrite_page(after):
        present.update(user.uuid for user in page)
        after = page[-1].id
    removed, _ = DirectoryEntry.objects.filter(user_uuid__in=listed - present).delete()
    return Rebuilt(len(present), removed)


@transaction.atomic
def _rewrite_page(after: int) -> list[User]:
    """The next people behind number ``after``, locked for as long as their rows are written."""
    people = User.objects.select_for_update(no_key=True).exclude(status=User.Status.ERASED).filter(id__gt=after)
    page = list(people.order_by("id").only("id", "uuid", "email_key", "status")[:BATCH])
    _write(page)
    return page


def _write(people: list[User]) -> None:
    tenant_id, key_id, now = require_tenant().id, current_token_key(), timezone.now()
    rows = [
        DirectoryEntry(
            user_uuid=person.uuid,
            tenant_id=tenant_id,
            email_hash=address_hash(key_id, person.email_key),
            key_id=key_id,
            status=person.status,
            updated_at=now,
        )
        for person in people
    ]
    DirectoryEntry.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["user_uuid"],
        update_fields=["email_hash", "key_id", "status", "updated_at"],
    )
