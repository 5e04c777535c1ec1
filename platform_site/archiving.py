"""What apps have to put right in a tenant that is brought back from a backup, or imported.

Apps fill these tables in their ``archiving.py``. What becomes of each table's rows stands elsewhere: of public in
``platform_site.tenant_rows``, of a tenant's schema in ``tenancy.archives.tenant_tables``. What depends on the
installation's keys is in ``platform_site.sealed_columns`` and ``platform_site.derived_values``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from platform_site.catalog import Catalog


@dataclass(frozen=True, slots=True)
class AfterLoading:
    """What has to be put right in a schema that was loaded from a file, in the transaction that lets it go live.

    ``look`` is asked before, inside the tenant as it is now, and what it says is given to ``mend``, inside the
    loaded one; there is None where the tenant was gone, or comes from elsewhere.
    """

    key: str
    mend: Callable[[Any], object]
    look: Callable[[], Any] | None = None


@dataclass(frozen=True, slots=True)
class ErasureReplay:
    """Erases the one of this kind that has this id in the bound tenant, if it is there and not erased."""

    key: str
    erase: Callable[[UUID], bool]


after_loading: Catalog[AfterLoading] = Catalog("what is put right after loading")
erasure_replays: Catalog[ErasureReplay] = Catalog("erasures")
