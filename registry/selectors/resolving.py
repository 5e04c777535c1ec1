"""Where an id leads. Merged records point at their winner and never at a merged one, so it is one step."""

from collections.abc import Collection, Sequence
from typing import Any, Final
from uuid import UUID

from django.db import connection

from events.subjects import MergedSet, Subject, Whereabouts
from platform_site.errors import NOT_FOUND, PlatformError
from registry import errors
from registry.advisory import ERASING, lock_shared
from registry.models import Entity, Link

_SUBJECTS: Final = """
SELECT e.id::text, e.merged_into_id::text,
       'erased' = CASE WHEN e.merged_into_id IS NULL THEN e.status
                       ELSE (SELECT w.status FROM registry_entity w WHERE w.id = e.merged_into_id) END
FROM registry_entity e
WHERE e.id = ANY(%(ids)s::uuid[])"""

_MERGED_SET: Final = """
WITH asked AS (SELECT coalesce(merged_into_id, id) AS id FROM registry_entity WHERE id = %(id)s)
SELECT w.id, w.status = 'erased',
       ARRAY(SELECT m.id FROM registry_entity m WHERE m.merged_into_id = w.id ORDER BY m.id)
FROM registry_entity w JOIN asked USING (id)"""


class RegistryDirectory:
    """What events ask (``events.subjects.Directory``)."""

    def whereabouts(self, ids: Collection[str]) -> Whereabouts:
        lock_shared(ERASING)
        with connection.cursor() as cursor:
            # An array as PostgreSQL writes it: there is nothing in a UUID to be escaped.
            cursor.execute(_SUBJECTS, {"ids": "{" + ",".join(ids) + "}"})
            rows = cursor.fetchall()
        erased = [asked for asked, _, is_erased in rows if is_erased]
        return Whereabouts({asked: winner or asked for asked, winner, _ in rows}, erased)

    def merged_set(self, canonical_id: UUID) -> MergedSet | None:
        return merged_set(canonical_id)

    def linked_apps(self, canonical_id: UUID) -> Sequence[str]:
        links = Link.objects.filter(entity_id=canonical_id, unlinked_at=None)
        return list(links.order_by("app").values_list("app", flat=True).distinct())


def merged_set(canonical_id: UUID) -> MergedSet | None:
    """The record that this id leads to, and all ids that lead to it; None for an id that is nobody's."""
    with connection.cursor() as cursor:
        cursor.execute(_MERGED_SET, {"id": canonical_id})
        row: Any = cursor.fetchone()
    if row is None:
        return None
    return MergedSet(Subject(row[0], erased=row[1]), (row[0], *row[2]))


def entity_resolve(canonical_id: UUID) -> Entity:
    """The record that this id leads to. Raises ``not_found`` or ``entity_erased``."""
    found = Entity.objects.select_related("merged_into").filter(id=canonical_id).first()
    if found is None:
        raise PlatformError(NOT_FOUND)
    entity: Entity = found.merged_into or found
    if entity.status == Entity.Status.ERASED:
        raise PlatformError(errors.ENTITY_ERASED)
    return entity
