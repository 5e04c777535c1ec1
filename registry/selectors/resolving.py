"""Where an id leads. Merged records point at their winner and never at a merged one, so it is one step."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from django.db import connection

from events.subjects import MergedSet, Subject
from platform_site.errors import NOT_FOUND, PlatformError
from registry import errors
from registry.advisory import ERASING, lock_shared
from registry.models import Entity, Link

_SUBJECTS: Final = """
SELECT e.id, coalesce(e.merged_into_id, e.id), coalesce(w.status, e.status) = 'erased'
FROM registry_entity e LEFT JOIN registry_entity w ON w.id = e.merged_into_id
WHERE e.id = ANY(%(ids)s)"""

# Nearly always it is all of them.
_PLAIN: Final = """
SELECT count(*) FROM registry_entity
WHERE id = ANY(%s::uuid[]) AND merged_into_id IS NULL AND status <> 'erased'"""

_MERGED_SET: Final = """
WITH asked AS (SELECT coalesce(merged_into_id, id) AS id FROM registry_entity WHERE id = %(id)s)
SELECT w.id, w.status = 'erased',
       ARRAY(SELECT m.id FROM registry_entity m WHERE m.merged_into_id = w.id ORDER BY m.id)
FROM registry_entity w JOIN asked USING (id)"""


class RegistryDirectory:
    """What events ask (``events.subjects.Directory``)."""

    def subjects(self, ids: Collection[UUID]) -> Mapping[UUID, Subject]:
        lock_shared(ERASING)
        with connection.cursor() as cursor:
            cursor.execute(_SUBJECTS, {"ids": list(ids)})
            return {asked: Subject(leads_to, erased) for asked, leads_to, erased in cursor.fetchall()}

    def elsewhere(self, ids: Collection[str]) -> Mapping[str, Subject | None]:
        asked = set(ids)
        lock_shared(ERASING)
        with connection.cursor() as cursor:
            # As one text: a list is quoted item by item.
            cursor.execute(_PLAIN, ["{" + ",".join(asked) + "}"])
            ((plain,),) = cursor.fetchall()
        if plain == len(asked):
            return {}
        found = {str(one): subject for one, subject in self.subjects([UUID(one) for one in asked]).items()}
        return {
            one: subject
            for one in asked
            if (subject := found.get(one)) is None or subject.erased or str(subject.canonical_id) != one
        }

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
