"""Many tenants at once, each worker a process of its own, because migrating keeps a processor busy."""

import json
import queue
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from django.conf import settings
from django.db import connection

from platform_site.binding import TenantRef
from tenancy.migrating.tenants import Outcome
from tenancy.migrating.worker import DATABASE_SETTINGS, line_for

_COMMAND = (sys.executable, "-m", "django", "migrate_all", "--worker")


class WorkerDied(Exception):
    """The process ended without an answer: killed, or out of memory."""


class Worker:
    """One process, started when it gets its first tenant."""

    def __init__(self, database: dict[str, object]) -> None:
        self._database = database
        self._process: subprocess.Popen[str] | None = None

    def migrate(self, tenant: TenantRef) -> Outcome:
        try:
            return self._ask(tenant)
        except (WorkerDied, OSError) as error:
            self.close()
            return Outcome(tenant, f"{type(error).__name__}: the worker ended without an answer.")

    def _ask(self, tenant: TenantRef) -> Outcome:
        process = self._process = self._process or self._start()
        # Both are pipes, because we asked for them.
        assert process.stdin is not None  # noqa: S101
        assert process.stdout is not None  # noqa: S101
        process.stdin.write(line_for(tenant))
        process.stdin.flush()
        answer = process.stdout.readline()
        if not answer:
            raise WorkerDied
        said = json.loads(answer)
        return Outcome(tenant, said["error"], said["seconds"])

    def _start(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=settings.BASE_DIR
        )
        assert process.stdin is not None  # noqa: S101
        process.stdin.write(json.dumps(self._database) + "\n")
        return process

    def close(self) -> None:
        """End the input and wait: the worker finishes what it has in hand."""
        if self._process is not None:
            self._process.communicate()
            self._process = None


def migrate_tenants(
    tenants: Sequence[TenantRef], *, workers: int, enough: Callable[[], bool] = lambda: False
) -> Iterator[Outcome]:
    """Migrate these tenants with up to ``workers`` processes; outcomes come as they are known.

    Once there is ``enough`` no other one is begun; those that are being migrated are finished.
    """
    database = {name: connection.settings_dict[name] for name in DATABASE_SETTINGS}
    crew = [Worker(database) for _ in range(min(workers, len(tenants)))]
    idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
    for worker in crew:
        idle.put(worker)

    def migrate(tenant: TenantRef) -> Outcome | None:
        worker = idle.get()
        try:
            return None if enough() else worker.migrate(tenant)
        finally:
            idle.put(worker)

    if not crew:
        return
    # The threads only wait for their processes; none of them touches the database.
    with ThreadPoolExecutor(len(crew)) as threads:
        try:
            for done in as_completed([threads.submit(migrate, tenant) for tenant in tenants]):
                if (outcome := done.result()) is not None:
                    yield outcome
        finally:
            threads.shutdown(wait=True, cancel_futures=True)
            for worker in crew:
                worker.close()
