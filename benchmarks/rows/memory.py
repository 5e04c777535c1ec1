"""What a web worker holds in memory, and what a PostgreSQL backend that met many schemas does."""

from collections.abc import Iterator, Mapping

from benchmarks.bench import Bench
from benchmarks.load import get, load
from benchmarks.processes import granian, memory_kib
from benchmarks.row import Figure, Row

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
