"""What is kept how long: one table, which every app fills, of what is let go of when it is old.

Most of it goes by itself, by a job or by the clock. This table is what ``retention_run`` drives, for one tenant or for
all, to have it done now or to say how much it would be.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from django.db.models import QuerySet

from platform_site.catalog import Catalog

Counter = Callable[[datetime], int]
# Rows of one statement: nobody waits long for its locks.
BATCH: Final = 2000


@dataclass(frozen=True, slots=True)
class Retention:
    """``count`` says how many rows are too old at a moment, ``purge`` removes them in batches and says how many.

    Both run in the bound tenant or, with ``where="public"``, in none. ``by_owner``: the application's role may not
    delete these rows, so ``purge`` is called as the database's owner. ``count`` may be a little off.
    """

    key: str
    count: Counter
    purge: Counter
    where: Literal["tenant", "public"] = "tenant"
    by_owner: bool = False


retentions: Catalog[Retention] = Catalog("retentions")


def delete_in_batches(rows: QuerySet[Any], batch: int = BATCH) -> int:
    """Delete these rows, each batch in a transaction of its own. Gives how many; what hangs on them is not counted."""
    count = 0
    while ids := list(rows.values_list("pk", flat=True)[:batch]):
        rows.model._default_manager.filter(pk__in=ids).delete()
        count += len(ids)
    return count
