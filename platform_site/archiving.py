"""What apps know about their rows when a tenant is brought back from a backup, exported, or imported.

Apps fill these tables in their ``archiving.py``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Model

from platform_site.catalog import Catalog


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column that holds what ``platform_site.keys.seal`` made. ``place`` of a row is what it was sealed for.

    It is sealed for one tenant of one installation, so it travels opened, under a passphrase, or not at all.
    """

    model: type[Model]
    column: str
    place: Callable[[Any], str]

    @property
    def key(self) -> str:
        return f"{self.model._meta.label}.{self.column}"


@dataclass(frozen=True, slots=True)
class AfterRestore:
    """What has to be put right in a schema that comes from a backup, in the transaction that lets it go live.

    ``look`` is asked before, inside the tenant as it is now, and what it says is given to ``mend``, inside the
    restored one; there is None where the tenant was gone.
    """

    key: str
    mend: Callable[[Any], None]
    look: Callable[[], Any] | None = None


@dataclass(frozen=True, slots=True)
class AfterImport:
    """What an imported tenant needs anew because it depends on the installation's keys and addresses."""

    key: str
    mend: Callable[[], None]


@dataclass(frozen=True, slots=True)
class ErasureReplay:
    """Erases the one of this kind that has this id in the bound tenant, if it is there and not erased."""

    key: str
    erase: Callable[[UUID], bool]


sealed_columns: Catalog[SealedColumn] = Catalog("sealed columns")
after_restore: Catalog[AfterRestore] = Catalog("what restoring mends")
after_import: Catalog[AfterImport] = Catalog("what importing mends")
erasure_replays: Catalog[ErasureReplay] = Catalog("erasures")
