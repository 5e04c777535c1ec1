"""Requests as the document wants them: at least half of each operation's must succeed."""

from tests.contract.judge import MARKS, SEEDS, Run, documented, run, table
from tests.contract.running import readable

__all__ = ["run"]
pytestmark = MARKS


def test_requests_as_documented_are_answered_as_documented(run: Run) -> None:
    for seed in range(1, SEEDS + 1):
        done, found = run.check("positive", seed)
        print(table(found))
        assert done.returncode == 0, readable(done)
        assert set(found) == documented(run.url)
        for operation, statuses in found.items():
            succeeded = sum(count for status, count in statuses.items() if 200 <= status < 300)
            assert succeeded * 2 >= statuses.total(), f"{operation}: {dict(statuses)}"
