"""The registry against a model that keeps who was merged into whom as a forest, and knows nothing of how it is stored.

A link and an address belong to whatever record the id that they came to leads to.
Merging hangs a tree under another one, undoing takes it off again, and nothing else
moves; so where everything is follows from the forest alone.
"""

from dataclasses import dataclass, field
from typing import Any

import hypothesis
import pytest
from django.db.models.functions import Coalesce
from hypothesis import HealthCheck
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from events.models import Event, EventStat
from platform_site.binding import bind
from registry.models import Entity, Identifier, Link
from registry.tests.support import replayed
from tests.support import Api, data, error, scaled

EXAMPLES, STEPS = scaled(10, 200), scaled(30, 60)
ADDRESSES = [f"p{number}@company.com" for number in range(4)]
TRIPLES = [{"app": app, "entityType": "row", "entityId": str(n)} for app in ("sales", "support") for n in range(3)]
address = st.sampled_from(ADDRESSES)
triple = st.integers(0, len(TRIPLES) - 1)
pick = st.integers(0, 1000)


@dataclass
class Bound:
    """A link: the id that it was made under, and the last address that the app knew."""

    id: str
    origin: str
    address: str | None


@dataclass
class Known:
    """An address: the id that it was claimed under, and the link that brought it."""

    origin: str
    link: str


@dataclass
class Union:
    id: str
    winner: str
    loser: str


@dataclass
class Model:
    parents: dict[str, str | None] = field(default_factory=dict)
    links: dict[int, Bound] = field(default_factory=dict)
    known: dict[str, Known] = field(default_factory=dict)
    unions: list[Union] = field(default_factory=list)
    erased: set[str] = field(default_factory=set)
    # Events by the id that they were sent to, for as long as the record was not erased.
    events: dict[str, int] = field(default_factory=dict)

    def root(self, one: str) -> str:
        while (parent := self.parents[one]) is not None:
            one = parent
        return one

    def alive(self) -> list[str]:
        return [one for one in self.parents if self.root(one) not in self.erased]

    def roots(self) -> list[str]:
        return [one for one in self.alive() if self.parents[one] is None]

    def owner_of_address(self, wanted: str) -> str | None:
        return self.root(self.known[wanted].origin) if wanted in self.known else None


def read_on(somebody: Api, path: str) -> list[dict[str, Any]]:
    """All pages of a list."""
    found: list[dict[str, Any]] = []
    query = "?limit=200"
    while True:
        answer = somebody.get(path + query)
        found += (page := data(answer))
        if not page or not (cursor := answer.json()["meta"]["nextCursor"]):
            return found
        query = f"?limit=200&cursor={cursor}"


def build(alice: Api, mallory: Api, tenant: Any) -> type[RuleBasedStateMachine]:
    class Registry(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.model = Model()
            with bind(tenant.ref):
                # Each example begins with an empty registry.
                from registry.models import Duplicate, HistoryEntry, Merge

                for table in (Duplicate, Merge, HistoryEntry, Identifier, Link):
                    table.objects.all().delete()
                Entity.objects.filter(merged_into__isnull=False).delete()
                Entity.objects.all().delete()
                Event.objects.all().delete()
                EventStat.objects.all().delete()

        def _post(self, path: str, body: dict[str, Any] | None = None) -> Any:
            return alice.post(f"/entity-registry/{path}", body or {})

        def _new(self, made: dict[str, Any], number: int, wanted: str | None) -> None:
            canonical, linked = made["canonicalId"], made["linkId"]
            assert canonical not in self.model.parents
            self.model.parents[canonical] = None
            self.model.links[number] = Bound(linked, canonical, wanted)
            if wanted and wanted not in self.model.known:
                self.model.known[wanted] = Known(canonical, linked)

        @rule(number=triple, wanted=st.none() | address)
        def register(self, number: int, wanted: str | None) -> None:
            body = {"name": f"N{number}", **TRIPLES[number], **({"email": wanted} if wanted else {})}
            answer = self._post("register", body)
            linked = self.model.links.get(number)
            if linked is None:
                self._new(data(answer, 201), number, wanted)
            elif answer.status_code == 200:
                assert data(answer)["canonicalId"] == self.model.root(linked.origin)
            else:
                assert error(answer) == (409, "entity_already_linked")

        @rule(number=triple, wanted=address)
        def auto_link(self, number: int, wanted: str) -> None:
            answer = self._post("auto-link", {"email": wanted, "name": f"N{number}", **TRIPLES[number]})
            linked, owner = self.model.links.get(number), self.model.owner_of_address(wanted)
            if linked is None and owner is None:
                self._new(data(answer, 201), number, wanted)
                return
            done = data(answer)
            if linked is None:
                assert (done["action"], done["canonicalId"]) == ("linked", owner)
                self.model.links[number] = Bound(done["linkId"], self.model.known[wanted].origin, wanted)
                return
            here = self.model.root(linked.origin)
            assert (done["action"], done["canonicalId"], done["linkId"]) == ("existing", here, linked.id)
            linked.address = wanted
            if owner is None:
                self.model.known[wanted] = Known(linked.origin, linked.id)
            assert done["conflict"] == ({"emailOwner": owner} if owner not in (None, here) else None)

        @precondition(lambda self: self.model.alive())
        @rule(number=triple, which=pick, wanted=st.none() | address, move=st.booleans())
        def link(self, number: int, which: int, wanted: str | None, move: bool) -> None:
            asked = self.model.alive()[which % len(self.model.alive())]
            snapshot = {"email": wanted} if wanted else {}
            answer = self._post("link", {"canonicalId": asked, "move": move, "snapshot": snapshot, **TRIPLES[number]})
            linked = self.model.links.get(number)
            if linked is not None and self.model.root(linked.origin) == self.model.root(asked):
                assert data(answer)["linkId"] == linked.id
                linked.address = wanted or linked.address
            elif linked is not None and not move:
                assert error(answer) == (409, "linked_elsewhere")
            else:
                done, says = data(answer, 201), wanted or (linked.address if linked else None)
                assert done["movedFrom"] == (self.model.root(linked.origin) if linked else None)
                self.model.links[number] = Bound(done["linkId"], asked, says)
                if says and says not in self.model.known:
                    self.model.known[says] = Known(asked, done["linkId"])

        @precondition(lambda self: self.model.links)
        @rule(which=pick, split=st.booleans())
        def unlink(self, which: int, split: bool) -> None:
            number = sorted(self.model.links)[which % len(self.model.links)]
            ended = self.model.links.pop(number)
            path = f"/entity-registry/links/{ended.id}{'?splitTo=new' if split else ''}"
            done = data(alice.call("DELETE", path))
            assert done["canonicalId"] == self.model.root(ended.origin)
            if not split:
                return
            own = done["splitTo"]
            assert own not in self.model.parents
            rest = {
                other.address
                for other in self.model.links.values()
                if self.model.root(other.origin) == done["canonicalId"]
            }
            self.model.parents[own] = None
            self.model.links[number] = Bound(done["newLinkId"], own, ended.address)
            for name, known in self.model.known.items():
                if known.link == ended.id and name not in rest:
                    known.origin, known.link = own, done["newLinkId"]

        @precondition(lambda self: len(self.model.roots()) > 1)
        @rule(one=pick, other=pick)
        def merge(self, one: int, other: int) -> None:
            roots = self.model.roots()
            winner, loser = roots[one % len(roots)], roots[other % len(roots)]
            answer = self._post("merge", {"winnerId": winner, "loserId": loser})
            if winner == loser:
                assert error(answer) == (422, "merge_self")
                return
            self.model.unions.append(Union(data(answer)["mergeId"], winner, loser))
            self.model.parents[loser] = winner

        @precondition(lambda self: self.model.unions)
        @rule(which=pick)
        def undo(self, which: int) -> None:
            place = which % len(self.model.unions)
            union = self.model.unions[place]
            answer = self._post(f"merges/{union.id}/undo")
            both = {union.winner, union.loser}
            if any(both & {later.winner, later.loser} for later in self.model.unions[place + 1 :]):
                assert error(answer) == (409, "not_latest_merge")
                return
            assert data(answer)["loser"]["canonicalId"] == union.loser
            del self.model.unions[place]
            self.model.parents[union.loser] = None

        @precondition(lambda self: self.model.alive())
        @rule(which=pick, number=st.integers(1, 3))
        def happen(self, which: int, number: int) -> None:
            asked = self.model.alive()[which % len(self.model.alive())]
            events = [{"canonicalId": asked, "app": "sales", "category": "c", "action": "a"}] * number
            assert data(alice.post("/platform-events/batch", {"events": events}), 201)["accepted"] == number
            self.model.events[asked] = self.model.events.get(asked, 0) + number

        @precondition(lambda self: len(self.model.roots()) > 3)
        @rule(which=pick)
        def erase(self, which: int) -> None:
            gone = self.model.roots()[which % len(self.model.roots())]
            data(alice.call("DELETE", f"/entity-registry/{gone}", {}))
            ids = {one for one in self.model.parents if self.model.root(one) == gone}
            self.model.erased.add(gone)
            self.model.links = {n: one for n, one in self.model.links.items() if one.origin not in ids}
            self.model.known = {name: one for name, one in self.model.known.items() if one.origin not in ids}
            self.model.unions = [one for one in self.model.unions if one.loser not in ids]
            self.model.events = {one: count for one, count in self.model.events.items() if one not in ids}

        @invariant()
        def every_id_leads_to_one_record_in_one_step(self) -> None:
            with bind(tenant.ref):
                assert not Entity.objects.filter(merged_into__merged_into__isnull=False).exists()
                leads_to = Entity.objects.values_list("id", Coalesce("merged_into_id", "id"))
                found = {str(one): str(other) for one, other in leads_to}
            assert found == {one: self.model.root(one) for one in self.model.parents}

        @invariant()
        def links_and_addresses_are_where_the_forest_says(self) -> None:
            with bind(tenant.ref):
                links = {
                    str(one): str(owner)
                    for one, owner in Link.objects.filter(unlinked_at=None).values_list("id", "entity_id")
                }
                addresses = {
                    value: str(owner)
                    for value, owner in Identifier.objects.filter(kind="email").values_list("value", "entity_id")
                }
                counts = dict(Entity.objects.exclude(status="merged").values_list("id", "links_count"))
                assert not Identifier.objects.filter(entity__status="merged").exists()
            assert links == {one.id: self.model.root(one.origin) for one in self.model.links.values()}
            assert addresses == {name: self.model.owner_of_address(name) for name in self.model.known}
            owners = list(links.values())
            assert {str(one): count for one, count in counts.items() if count} == {
                one: owners.count(one) for one in set(owners)
            }

        @invariant()
        def events_are_never_lost_and_statistics_are_a_recount(self) -> None:
            with bind(tenant.ref):
                stats = {str(one): total for one, total in EventStat.objects.values_list("canonical_id", "total")}
                assert Event.objects.count() == sum(self.model.events.values())
            assert stats == self.model.events

        def teardown(self) -> None:
            self._read_as_clients_do()

        def _read_as_clients_do(self) -> None:
            """Slower, so at the end of an example only."""
            for one in self.model.parents:
                path = f"/entity-registry/{one}"
                root = self.model.root(one)
                assert error(mallory.get(path)) == (404, "not_found")
                if root in self.model.erased:
                    assert error(alice.get(path)) == (410, "entity_erased")
                    continue
                assert data(alice.get(path))["canonicalId"] == root
                # Each genealogy tells all about the links of its record, whatever became of others.
                played = replayed(read_on(alice, f"{path}/genealogy"))
                assert {one for one, whose in played.items() if whose == root} == {
                    one.id for one in self.model.links.values() if self.model.root(one.origin) == root
                }
                within = [other for other in self.model.parents if self.model.root(other) == root]
                total = sum(self.model.events.get(other, 0) for other in within)
                assert data(alice.get(f"/platform-events/{one}/summary"))["total"] == total
            assert replayed(read_on(alice, "/entity-registry/changes")) == {
                one.id: self.model.root(one.origin) for one in self.model.links.values()
            }

    return Registry


@pytest.fixture
def long_session(settings: Any) -> None:
    """All examples are worked through with one access token, which takes longer than such tokens last."""
    settings.ACCESS_TOKEN_SECONDS = 24 * 3600


@pytest.mark.usefixtures("long_session")
@pytest.mark.timeout(scaled(300, 3600))
def test_the_registry_is_what_the_forest_says(alice: Api, mallory: Api, tenant: Any) -> None:
    run_state_machine_as_test(
        build(alice, mallory, tenant),
        settings=hypothesis.settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
