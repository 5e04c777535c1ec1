"""The catalogue of what is stored under keys of ``TOKEN_KEYS``, and writing it anew under the first one.

Replacing keys goes by it, and so does an import, which comes from an installation with other keys. Each function works
inside the bound tenant, also for rows of public that are the tenant's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from platform_site.catalog import Catalog


@dataclass(frozen=True, slots=True)
class DerivedValue:
    """``by_key`` gives how many there are under each key's id that still count; "" stands for no key of the ring.

    ``renew`` writes them anew under the first key; without it they end by themselves, within ``ends_after`` seconds.
    ``outlives``: it goes on working when its key is gone, and is counted to be seen only.
    """

    key: str
    by_key: Callable[[], Mapping[str, int]]
    renew: Callable[[], object] | None = None
    ends_after: Callable[[], int] | None = None
    outlives: bool = False


derived_values: Catalog[DerivedValue] = Catalog("derived values")
