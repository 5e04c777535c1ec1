"""``manage.py registry_dedupe``: what it notes, what it leaves alone, and how it goes on."""

import io
import json
import re
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from platform_site.binding import bind
from registry.models import Duplicate, Entity
from registry.services.candidates import entity_compare
from registry.tests.support import UNKNOWN, register
from tests.support import COMPANY, Api, data

SEEN = {"street": "Main Street 7", "city": "Bern", "dateOfBirth": "1980-12-31"}
Pairs = set[tuple[str, str]]


def ran(*arguments: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("registry_dedupe", COMPANY, "--json", *arguments, stdout=out, stderr=io.StringIO())
    return dict(json.loads(out.getvalue()))


def noted(somebody: Api) -> Pairs:
    """Pairs that wait for a decision, as the API tells them."""
    answer = somebody.get("/entity-registry/duplicates?limit=100")
    ids = [[one["canonicalId"] for one in pair["records"]] for pair in data(answer)]
    return {(min(pair), max(pair)) for pair in ids}


def forget(somebody: Api) -> None:
    """As if nobody had noted anything yet."""
    with bind(somebody.tenant.ref):
        Duplicate.objects.all().delete()


def pair(one: str, other: str) -> tuple[str, str]:
    return min(one, other), max(one, other)


@pytest.fixture
def people(alice: Api) -> list[str]:
    """Two pairs that may be one, and somebody else, in the order of their ids."""
    made = [
        register(alice, "Jane Doe", snapshot=SEEN),
        register(alice, "Jane Do", snapshot=SEEN),
        register(alice, "Robert Miller", snapshot={"phone": "+41 31 300 00 00", "dateOfBirth": "1960-01-02"}),
        register(alice, "Bob Miller", snapshot={"phone": "0041313000000", "dateOfBirth": "2.1.1960"}),
        register(alice, "Anna Nowak", snapshot={"city": "Bern"}),
    ]
    forget(alice)
    ids = [one["canonicalId"] for one in made]
    assert ids == sorted(ids)
    return ids


def test_pairs_are_noted_once_with_reasons(alice: Api, people: list[str]) -> None:
    assert ran() == {"records": 5, "pairs": 2}
    assert noted(alice) == {pair(*people[:2]), pair(*people[2:4])}
    shown = data(alice.get("/entity-registry/duplicates"))
    assert all(one["score"] >= 0.5 and one["reasons"] for one in shown)
    assert ran() == {"records": 5, "pairs": 2}
    assert len(data(alice.get("/entity-registry/duplicates"))) == 2
    with bind(alice.tenant.ref):
        assert Entity.objects.filter(status=Entity.Status.ACTIVE).count() == 5


def test_it_notes_nothing_of_another_company(alice: Api, mallory: Api, people: list[str]) -> None:
    for name in ("Jane Doe", "Jane Do"):
        register(mallory, name, snapshot=SEEN)
    forget(mallory)
    ran()
    assert noted(mallory) == set()


def test_what_was_dismissed_stays_so(alice: Api, people: list[str]) -> None:
    jane, jan = people[:2]
    data(alice.post(f"/entity-registry/{jan}/duplicates/{jane}/dismiss"))
    assert ran() == {"records": 5, "pairs": 1}
    assert noted(alice) == {pair(*people[2:4])}
    with bind(alice.tenant.ref):
        assert Duplicate.objects.get(low=UUID(jane), high=UUID(jan)).status == Duplicate.Status.DISMISSED


def test_a_dry_run_counts_and_notes_nothing(alice: Api, people: list[str]) -> None:
    assert ran("--dry-run") == {"records": 5, "pairs": 2}
    with bind(alice.tenant.ref):
        assert not Duplicate.objects.exists()


def test_only_one_class_is_looked_through(alice: Api, people: list[str]) -> None:
    for name in ("Miller Ltd", "Miller Limited"):
        register(alice, name, entityClass="company", snapshot={"city": "Bern", "vat": "CHE-123.456.789"})
    forget(alice)
    assert ran("--entity-class", "company") == {"records": 2, "pairs": 1}
    assert len(noted(alice)) == 1
    assert noted(alice).isdisjoint({pair(*people[:2]), pair(*people[2:4])})


def test_it_goes_on_behind_a_record(alice: Api, people: list[str]) -> None:
    assert ran("--after", people[1]) == {"records": 3, "pairs": 1}
    assert noted(alice) == {pair(*people[2:4])}
    assert ran("--after", people[4]) == {"records": 0, "pairs": 0}


def test_who_stops_it_is_told_where_to_go_on(alice: Api, people: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    def stopped_at_the_third(*, canonical_id: Any) -> Any:
        if len(compared) == 2:
            raise KeyboardInterrupt
        compared.append(str(canonical_id))
        return entity_compare(canonical_id=canonical_id)

    monkeypatch.setattr("registry.management.commands.registry_dedupe.entity_compare", stopped_at_the_third)
    with pytest.raises(CommandError, match="after 2 records") as caught:
        ran()
    assert compared == people[:2]
    assert noted(alice) == {pair(*people[:2])}
    monkeypatch.undo()
    after = re.findall(r"--after (\S+?)\.$", str(caught.value))
    assert after == [people[1]]
    assert ran("--after", *after)["records"] == 3
    assert noted(alice) == {pair(*people[:2]), pair(*people[2:4])}


def test_without_json_it_says_a_sentence(people: list[str]) -> None:
    out = io.StringIO()
    call_command("registry_dedupe", COMPANY, stdout=out, stderr=io.StringIO())
    assert out.getvalue() == "5 records, 2 pairs that may be one.\n"


@pytest.mark.parametrize("arguments", [("nobody",), (COMPANY, "--after", "here"), (COMPANY, "--after", UNKNOWN + "0")])
def test_wrong_usage_ends_with_two(tenant: Any, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("registry_dedupe", *arguments)
    assert caught.value.returncode == 2
