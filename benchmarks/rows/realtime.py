"""The product's sockets against stock consumers of Channels, on its pub/sub layer and on its core layer."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

from benchmarks.bench import Bench
from benchmarks.database import Database
from benchmarks.processes import Web, inherited, memory_kib, realtime, stock_channels
from benchmarks.row import Figure, Pairs, Row, at_least, at_most, interleaved
from benchmarks.socket_load import Delivered, Opening, SocketLoad, allow_many_files
from benchmarks.socket_people import Company, companies

MEMBERS = 200
PUBSUB, CORE = "stock consumers, pub/sub layer", "stock consumers, core layer"
HUB = "stock consumers, the hub as their layer"
QUERY_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Side:
    """A server, and the process that has its sockets and publishes to them."""

    name: str
    web: Web
    load: SocketLoad

    def all_of(self, delivered: Delivered) -> Delivered:
        lost = f"{self.name}: not every message arrived once: {delivered}"
        assert delivered.lost == delivered.repeated == 0, lost
        return delivered


def _signed_in(token: str) -> Opening:
    return Opening("/ws/v1", says=json.dumps({"t": "auth", "token": token}), ready='"t":"ready"')


def _ours(stack: ExitStack, env: Mapping[str, str]) -> Side:
    allow_many_files()
    return Side("ours", stack.enter_context(realtime(env)), stack.enter_context(SocketLoad(env)))


def _stock(stack: ExitStack, layer: str) -> Side:
    allow_many_files()
    env = inherited(DJANGO_SETTINGS_MODULE="benchmarks.stock_channels.settings", STOCK_LAYER=layer)
    return Side(layer, stack.enter_context(stock_channels(env)), stack.enter_context(SocketLoad(env)))


def _in_one_group(side: Side, company: Company | None = None) -> Side:
    """Open ``MEMBERS`` sockets that are all told the same."""
    if company:
        side.load.open(side.web.port, [_signed_in(token) for token in company.tokens])
        side.load.publish_to([company.group], MEMBERS)
    else:
        side.load.open(side.web.port, [Opening("/ws/everybody")] * MEMBERS)
        side.load.publish_to([{"group": "everybody"}], MEMBERS)
    return side


def _three_groups(stack: ExitStack, database: Database, core: str = "roomy_core") -> tuple[Side, Side, Side]:
    (company,) = companies(database, people=MEMBERS)
    ours = _in_one_group(_ours(stack, database.env()), company)
    return ours, _in_one_group(_stock(stack, "pubsub")), _in_one_group(_stock(stack, core))


@dataclass(frozen=True, slots=True)
class Flood:
    """Messages as fast as the server delivers them."""

    per_second: float
    cpu_us: float

    @classmethod
    def of(cls, side: Side, seconds: float) -> "Flood":
        before = side.web.own_cpu_seconds()
        delivered = side.all_of(side.load.flood(seconds=seconds))
        cpu = side.web.own_cpu_seconds() - before
        return cls(delivered.per_second, cpu / delivered.deliveries * 1_000_000)


class SocketGroup(Row):
    name = "socket_group"
    title = f"Message to a group of {MEMBERS}, processor time of a delivery"
    counterpart = PUBSUB
    bar = at_most(0.125, aim=0.083)

    def measure(self, bench: Bench) -> Iterator[Figure]:
        with bench.database(tenants=1) as database, ExitStack() as stack:
            sides = _three_groups(stack, database)
            layered = _in_one_group(_stock(stack, "hub"))
            arms = [partial(Flood.of, side, bench.seconds(3)) for side in (*sides, layered)]
            for arm in arms:
                arm()
            ours, pubsub, core, hub = interleaved(bench.rounds(5), *arms)

            def cpu(theirs: list[Flood]) -> Pairs:
                return Pairs([flood.cpu_us for flood in ours], [flood.cpu_us for flood in theirs])

            def speed(theirs: list[Flood]) -> Pairs:
                return Pairs([flood.per_second for flood in ours], [flood.per_second for flood in theirs])

            yield self.against(cpu(pubsub), "µs")
            yield cpu(core).figure("The same", "µs", CORE)
            yield cpu(hub).figure("The same", "µs", HUB)
            yield speed(pubsub).figure("The same, deliveries", "/s", PUBSUB, at_least(6, aim=12))
            yield speed(core).figure("The same, deliveries", "/s", CORE)

            paced = [partial(_p99, side, 20, bench.seconds(3)) for side in sides]
            ours_ms, pubsub_ms, core_ms = interleaved(bench.rounds(5), *paced)
            what = f"{20 * MEMBERS:,} deliveries a second, 99th percentile"
            yield Pairs(ours_ms, pubsub_ms).figure(what, "ms", PUBSUB)
            yield Pairs(ours_ms, core_ms).figure(what, "ms", CORE)


def _p99(side: Side, per_second: float, seconds: float) -> float:
    return side.all_of(side.load.pace(per_second=per_second, seconds=seconds)).p99_ms


class SocketQuery(Row):
    name = "socket_query"
    title = f"{10 * MEMBERS:,} deliveries a second beside a slow query, 99th percentile"
    counterpart = PUBSUB
    bar = at_most(0.05, aim=0.02)

    def measure(self, bench: Bench) -> Iterator[Figure]:
        with bench.database(tenants=1) as database, ExitStack() as stack:
            company = companies(database, people=MEMBERS + 1)[0]
            one_more, company.tokens[MEMBERS:] = company.tokens[MEMBERS], []
            ours = _in_one_group(_ours(stack, database.env("benchmarks.slow_frame.settings")), company)
            slow = json.dumps({"t": "bench.query", "seconds": QUERY_SECONDS})
            ours.load.say_each_second(ours.web.port, _signed_in(one_more), slow)
            sides = [ours]
            for layer in ("pubsub", "roomy_core"):
                sides.append(_in_one_group(_stock(stack, layer)))
                sides[-1].load.say_each_second(sides[-1].web.port, Opening("/ws/nobody"), str(QUERY_SECONDS))
            arms = [partial(_p99, side, 10, bench.seconds(10)) for side in sides]
            for arm in arms:
                arm()
            mine, pubsub, core = interleaved(bench.rounds(5), *arms)
            yield self.against(Pairs(mine, pubsub), "ms")
            yield Pairs(mine, core).figure("The same", "ms", CORE)


class SocketPairs(Row):
    name = "socket_pairs"
    title = f"200 messages a second in {MEMBERS // 2} conversations of two, median"
    counterpart = PUBSUB

    def measure(self, bench: Bench) -> Iterator[Figure]:
        with bench.database(tenants=1) as database, ExitStack() as stack:
            (company,) = companies(database, people=MEMBERS, pairs=True)
            ours = _ours(stack, database.env())
            ours.load.open(ours.web.port, [_signed_in(token) for token in company.tokens])
            ours.load.publish_to(company.pairs, 2)
            sides = [ours, *(self._stock(stack, layer) for layer in ("pubsub", "roomy_core"))]
            arms = [partial(self._p50, side, bench.seconds(3)) for side in sides]
            for arm in arms:
                arm()
            mine, pubsub, core = interleaved(bench.rounds(5), *arms)
            yield self.against(Pairs(mine, pubsub), "ms")
            yield Pairs(mine, core).figure("The same", "ms", CORE)

    def _stock(self, stack: ExitStack, layer: str) -> Side:
        side = _stock(stack, layer)
        pairs = [f"pair-{number}" for number in range(MEMBERS // 2)]
        side.load.open(side.web.port, [Opening(f"/ws/{pair}") for pair in pairs for _ in range(2)])
        side.load.publish_to([{"group": pair} for pair in pairs], 2)
        return side

    def _p50(self, side: Side, seconds: float) -> float:
        return side.all_of(side.load.pace(per_second=200, seconds=seconds)).p50_ms


class SocketBurst(Row):
    name = "socket_burst"
    title = f"300 messages at once to a group of {MEMBERS}, lost"
    counterpart = PUBSUB
    bar = at_most(0, aim=0)

    def measure(self, bench: Bench) -> Iterator[Figure]:
        with bench.database(tenants=1) as database, ExitStack() as stack:
            sides = _three_groups(stack, database, core="core")
            ours, pubsub, core = interleaved(1 if bench.quick else 3, *(partial(self._lost, side) for side in sides))
            yield Figure(self.title, max(ours), "%", PUBSUB, max(pubsub), bar=self.bar)
            yield Figure("The same", max(ours), "%", f"{CORE}, its default capacity", median(core))

    def _lost(self, side: Side) -> float:
        delivered = side.load.burst(300)
        assert delivered.repeated == 0, delivered
        return delivered.lost * 100 / (delivered.lost + delivered.deliveries)


@dataclass(frozen=True, slots=True)
class Idle:
    """What a socket costs that is told nothing."""

    kib: float
    opening_us: float


class SocketMemory(Row):
    name = "socket_memory"
    title = "Memory of an idle socket, 2,000 of 200 people"
    counterpart = PUBSUB
    bar = at_most(24, aim=16)

    def measure(self, bench: Bench) -> Iterator[Figure]:
        tenants, people, each = 20, 10, 10
        with bench.database(tenants=tenants) as database:
            signed_in = [
                _signed_in(token)
                for company in companies(database, people=people)
                for token in company.tokens
                for _ in range(each)
            ]
            groups = [Opening(f"/ws/group-{number % tenants}") for number in range(len(signed_in))]
            arms = (
                partial(self._of_each, partial(_ours, env=database.env()), signed_in),
                partial(self._of_each, partial(_stock, layer="pubsub"), groups),
            )
            ours, pubsub = interleaved(bench.rounds(3), *arms)
            mine, theirs = (median(idle.kib for idle in arm) for arm in (ours, pubsub))
            yield Figure(self.title, mine, "KiB", PUBSUB, theirs, bar=self.bar)
            pairs = Pairs([idle.opening_us for idle in ours], [idle.opening_us for idle in pubsub])
            yield pairs.figure("Opening a socket and signing in, processor time", "µs", f"{PUBSUB}, nobody signs in")

    def _of_each(self, start: Any, openings: list[Opening]) -> Idle:
        with ExitStack() as stack:
            side = start(stack)
            # What the first ones bring into memory is not theirs.
            side.load.open(side.web.port, openings[:: len(openings) // 100])
            side.load.close_all()
            time.sleep(1)
            _, before = memory_kib(side.web.pid)
            used = side.web.own_cpu_seconds()
            side.load.open(side.web.port, openings)
            used = side.web.own_cpu_seconds() - used
            time.sleep(1)
            _, after = memory_kib(side.web.pid)
            side.load.close_all()
            return Idle((after - before) / len(openings), used / len(openings) * 1_000_000)
