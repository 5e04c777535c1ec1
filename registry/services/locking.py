"""Locks on records: who holds what, and in which order, so that nothing is done to a record that is none any more."""

from collections.abc import Callable
from functools import wraps
from typing import Final, ParamSpec, TypeVar
from uuid import UUID

from django.db import OperationalError, transaction
from django.db.models.functions import Coalesce
from psycopg.errors import DeadlockDetected

from platform_site.errors import CONFLICT, NOT_FOUND, PlatformError
from registry import errors
from registry.models import Entity

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

# How often something is tried that others got in the way of.
_ATTEMPTS: Final = 5


def whole(service: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """All of it in one transaction or nothing; once more when PostgreSQL broke up a deadlock with another one."""

    @wraps(service)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        for _ in range(_ATTEMPTS - 1):
            try:
                with transaction.atomic():
                    return service(*args, **kwargs)
            except OperationalError as error:
                if not isinstance(error.__cause__, DeadlockDetected):
                    raise
        with transaction.atomic():
            return service(*args, **kwargs)

    return run


def entity_lock(canonical_id: UUID) -> Entity:
    """The record that this id leads to, locked until the caller's transaction ends.

    Raises ``not_found`` or ``entity_erased``. Where it is merged while we wait, its winner is locked in its place.
    """
    for _ in range(_ATTEMPTS):
        found = Entity.objects.filter(id=canonical_id).values_list(Coalesce("merged_into_id", "id"), flat=True).first()
        if found is None:
            raise PlatformError(NOT_FOUND)
        entity = _locked_unless_merged(found)
        if entity is not None:
            if entity.status == Entity.Status.ERASED:
                raise PlatformError(errors.ENTITY_ERASED)
            return entity
    raise PlatformError(CONFLICT, "This record is being merged over and over.")


def _locked_unless_merged(entity_id: UUID) -> Entity | None:
    """A merged record is let go at once: who holds it and waits for its winner would stand in a merge's way."""
    with transaction.atomic():
        entity = Entity.objects.select_for_update(no_key=True).get(id=entity_id)
        if entity.status == Entity.Status.MERGED:
            transaction.set_rollback(True)
            return None
    return entity


def entities_lock(ids: set[UUID]) -> dict[UUID, Entity]:
    """These records as they are, locked in the order of their ids. Raises ``not_found`` when one is not there."""
    locked = Entity.objects.select_for_update(no_key=True).filter(id__in=ids).order_by("id")
    found = {entity.id: entity for entity in locked}
    if ids - found.keys():
        raise PlatformError(NOT_FOUND)
    return found
