"""A signed-in request: what the kit costs beside the same endpoint written by hand."""

import http.client
from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks.bench import Bench
from benchmarks.load import get, load
from benchmarks.processes import Web, granian, uvicorn
from benchmarks.row import Arm, Figure, Pairs, Row, at_least, interleaved

PATH = "/api/v1/auth/me"
# Short rounds: what else the machine does is then the same for both arms of a pair.
SECONDS = 1.2


class SignedInRequest(Row):
    name = "auth_me"
    title = "GET /auth/me"
    counterpart = "the same by hand, without DRF and middleware"
    bar = at_least(0.6, aim=0.8)

    def measure(self, bench: Bench) -> Iterator[Figure]:
        with bench.database(tenants=1) as database, ExitStack() as servers:
            token = database.tenants[0].token
            ours = servers.enter_context(granian(database.env()))
            by_hand = servers.enter_context(granian(database.env("benchmarks.by_hand.settings")))
            assert answer(ours, token) == answer(by_hand, token), "the two arms give different answers"

            def arm(web: Web) -> Arm:
                load(port=web.port, requests=[get(PATH, token)], seconds=SECONDS)
                return lambda: load(port=web.port, requests=[get(PATH, token)], seconds=SECONDS).per_second

            yield self.against(Pairs(*interleaved(bench.rounds(15), arm(ours), arm(by_hand))), "req/s")

            def cpu(web: Web) -> Arm:
                return lambda: _cpu_a_request(web, get(PATH, token))

            pairs = Pairs(*interleaved(bench.rounds(5), cpu(ours), cpu(by_hand)))
            yield pairs.figure("GET /auth/me, processor time of the workers", "µs", self.counterpart)

            threaded = servers.enter_context(granian(database.env(), threads=4))
            pairs = Pairs(*interleaved(bench.rounds(5), arm(threaded), arm(ours)))
            yield pairs.figure("GET /auth/me, 2 workers x 4 threads", "req/s", "2 workers x 1 thread")

            all_in_one = servers.enter_context(uvicorn(database.env()))
            pairs = Pairs(*interleaved(bench.rounds(5), arm(all_in_one), arm(ours)))
            yield pairs.figure("GET /auth/me, all in one (make run)", "req/s", "granian, 2 workers x 1 thread")

            alone = load(port=ours.port, requests=[get(PATH, token)], connections=1, seconds=2)
            yield Figure("GET /auth/me, one client, median", alone.p50_ms, "ms")


def _cpu_a_request(web: Web, request: str) -> float:
    """Microseconds. Waiting for a processor that others use is not in it."""
    before = web.cpu_seconds()
    answered = load(port=web.port, requests=[request], seconds=SECONDS).requests
    return (web.cpu_seconds() - before) / answered * 1_000_000


def answer(web: Web, token: str) -> bytes:
    client = http.client.HTTPConnection("127.0.0.1", web.port, timeout=10)
    client.request("GET", PATH, headers={"Authorization": f"Bearer {token}"})
    response = client.getresponse()
    body = response.read()
    assert response.status == 200, body
    client.close()
    return body
