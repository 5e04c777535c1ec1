"""About whom somebody asks: the record that an id leads to, and all ids whose events are its own."""

from uuid import UUID

from events import errors
from events.subjects import MergedSet, directory
from platform_site.errors import PlatformError


def subject_found(canonical_id: UUID) -> MergedSet:
    """One statement. Raises ``unknown_canonical`` and ``subject_erased``."""
    found = directory().merged_set(canonical_id)
    if found is None:
        raise PlatformError(errors.UNKNOWN_CANONICAL)
    if found.subject.erased:
        raise PlatformError(errors.SUBJECT_ERASED)
    return found
