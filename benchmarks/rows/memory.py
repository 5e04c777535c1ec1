"""What a web worker holds in memory, and how long it is halted when it looks through that for garbage."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping

from benchmarks.bench import Bench
from benchmarks.load import get, load
from benchmarks.processes import ROOT, granian, memory_kib
from benchmarks.row import Figure, Pairs, Row, at_most

PATH = "/api/v1/auth/me"
REQUESTS = 1000
TENANTS = 200


class WebMemory(Row):
    name = "web_memory"
    title = f"Web worker after {REQUESTS:,} requests, PSS"
    counterpart = "a bare Django worker"

    def measure(self, bench: Bench) -> Iterator[Figure]:
        with bench.database(tenants=TENANTS // 4 if bench.quick else TENANTS) as database:
            tokens = [tenant.token for tenant in database.tenants]
            bare = {**database.env("benchmarks.bare.settings")}
            bare_rss, bare_pss = self._after(bare, [get("/")], app="benchmarks.bare.wsgi:application")
            one = self._after(database.env(), [get(PATH, tokens[0])])
            many = self._after(database.env(), [get(PATH, token) for token in tokens])
        yield Figure(self.title, one[1], "KiB", self.counterpart, bare_pss, one[1] / bare_pss)
        yield Figure("The same, RSS", one[0], "KiB", self.counterpart, bare_rss, one[0] / bare_rss)
        what = f"Web worker after {REQUESTS:,} requests over {len(tokens)} tenants, PSS"
        yield Figure(what, many[1], "KiB", "over one tenant", one[1], many[1] / one[1])

    def _after(
        self, env: Mapping[str, str], requests: list[str], app: str = "platform_site.wsgi:application"
    ) -> tuple[int, int]:
        with granian(env, app=app, workers=1) as web:
            load(port=web.port, requests=requests, connections=4, count=REQUESTS)
            (worker,) = web.workers()
            return memory_kib(worker)


COLLECT = """
import gc, json, time
import platform_site.wsgi

def halted():
    began = time.perf_counter()
    gc.collect()
    return (time.perf_counter() - began) * 1000

halted()
kept = [halted() for _ in range(9)]
gc.unfreeze()
halted()
print(json.dumps([kept, [halted() for _ in range(9)]]))
"""


class FullCollection(Row):
    name = "full_collection"
    title = "A full garbage collection halts a web worker that just started for"
    counterpart = "with nothing left out"
    bar = at_most(0.1, aim=0.02)

    def measure(self, bench: Bench) -> Iterator[Figure]:
        with bench.database(tenants=1) as database:
            done = subprocess.run(
                [sys.executable, "-c", COLLECT],
                cwd=ROOT,
                env=database.env(),
                stdout=subprocess.PIPE,
                check=True,
            )
        kept, everything = json.loads(done.stdout)
        yield self.against(Pairs(kept, everything), "ms")
