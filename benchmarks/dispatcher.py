"""The product's dispatcher in a process of its own, which looks for work whenever it is told to."""

import sys
import time

from benchmarks.answering import Answering
from benchmarks.database import Database


class Dispatcher(Answering):
    """Nothing is due in its database, so each look finds nothing."""

    def __init__(self, database: Database) -> None:
        super().__init__("benchmarks.dispatcher", database.env())

    def look(self, times: int) -> float:
        """Milliseconds for one look, on average."""
        return float(self.ask(str(times)))


def _serve() -> None:
    import django

    django.setup()

    from platform_site.outbox.dispatcher import run_once

    for line in sys.stdin:
        begun = time.perf_counter()
        for _ in range(int(line)):
            assert run_once() == 0, "there was something to do"
        print((time.perf_counter() - begun) * 1000 / int(line), flush=True)


if __name__ == "__main__":
    _serve()
