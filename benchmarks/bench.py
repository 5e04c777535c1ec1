"""What a row gets: databases, and how long it may take."""

import os
from contextlib import AbstractContextManager

from benchmarks.database import Database, Databases


class Bench:
    """``quick`` asks for a look at the figures, not for figures to quote."""

    def __init__(self, *, quick: bool) -> None:
        self.quick = quick
        self._databases = Databases()
        # Nothing that an earlier run left in Valkey is found, and tokens outlive a slow run.
        os.environ["REDIS_PREFIX"] = f"bench-{os.getpid()}"
        os.environ["ACCESS_TOKEN_SECONDS"] = "7200"

    def rounds(self, full: int) -> int:
        return max(2, full // 3) if self.quick else full

    def seconds(self, full: float) -> float:
        return full / 3 if self.quick else full

    def database(self, *, tenants: int) -> AbstractContextManager[Database]:
        """A database of the row's own with this many tenants; it is dropped afterwards."""
        return self._databases.database(tenants=tenants)

    def close(self) -> None:
        self._databases.close()
