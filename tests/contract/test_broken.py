"""Requests that break the document in every way: all must be refused in order."""

from tests.contract.judge import MARKS, SEEDS, Run, documented, run, table
from tests.contract.running import readable

__all__ = ["run"]
pytestmark = MARKS


def test_requests_that_break_the_document_are_refused_in_order(run: Run) -> None:
    for seed in range(1, SEEDS + 1):
        done, found = run.check("negative", seed)
        print(table(found))
        assert done.returncode == 0, readable(done)
        assert set(found) == documented(run.url)
