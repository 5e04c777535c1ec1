"""``/entity-registry/search`` and ``/list``."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry.tests.support import merge, record, register, unlink
from tests.support import Api, data, error


def found(somebody: Api, text: str, **more: Any) -> list[tuple[str, str]]:
    from urllib.parse import urlencode

    answer = somebody.get(f"/entity-registry/search?{urlencode({'q': text, **more})}")
    return [(one["name"], one["matchedOn"]) for one in data(answer)]


def listed(somebody: Api, query: str = "") -> list[str]:
    return [one["name"] for one in data(somebody.get(f"/entity-registry/list{query}"))]


class TestSearching:
    @pytest.fixture(autouse=True)
    def records(self, alice: Api) -> dict[str, str]:
        people = [
            ("Jane Doe", "jane@company.com"),
            ("Zoë Müller", "zoe.mueller@home.com"),
            ("Ng", "ng@short.com"),
            ("100% Cotton_Shirt", "shirt@shop.com"),
            ("O'Brien \\ Sons", "ob@sons.com"),
        ]
        made = {name: register(alice, name=name, email=email)["canonicalId"] for name, email in people}
        register(alice, name="Janus Ltd", entityClass="company")
        return made

    def test_in_steps(self, alice: Api) -> None:
        assert found(alice, "jane@company.com") == [("Jane Doe", "identifier")]
        for text, matched_on in [
            ("JANE", "name"),
            ("doe", "name"),
            ("doe jan", "name"),
            ("company", "email"),
            ("Jane Deo", "name"),
        ]:
            # What is merely alike may follow.
            assert found(alice, text)[0] == ("Jane Doe", matched_on)

    def test_less_than_three_letters_are_the_beginning_of_a_name(self, alice: Api) -> None:
        assert found(alice, "ng") == [("Ng", "name")]
        assert found(alice, "oe") == []
        assert [name for name, _ in found(alice, "j")] == ["Jane Doe", "Janus Ltd"]

    def test_marks_and_case_do_not_count(self, alice: Api) -> None:
        assert found(alice, "zoe muller")[0] == found(alice, "ZOË MÜLLER")[0] == ("Zoë Müller", "name")

    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("%", []),
            ("_", []),
            ("100%", ["100% Cotton_Shirt"]),
            ("cotton_shirt", ["100% Cotton_Shirt"]),
            ("cottonxshirt", []),
            ("o'brien", ["O'Brien \\ Sons"]),
            ("brien \\ sons", ["O'Brien \\ Sons"]),
            ("\U0001f600", []),
            ("شركة", []),
        ],
    )
    def test_signs_stand_for_themselves(self, alice: Api, text: str, names: list[str]) -> None:
        exact = [name for name, _ in found(alice, text)]
        # What is merely alike may follow.
        assert exact[: len(names)] == names
        if not names and len(text) < 3:
            assert exact == []

    def test_an_old_name_leads_to_the_record_of_today(self, alice: Api, records: dict[str, str]) -> None:
        merge(alice, records["Ng"], records["Jane Doe"])
        name = found(alice, "jane doe")[0][0]
        assert found(alice, "jane doe") == [(name, "alias")] or found(alice, "jane doe") == [(name, "name")]
        assert found(alice, "jane@company.com")[0][1] == "identifier"
        assert len(found(alice, "jane")) == 2

    def test_of_one_class_only(self, alice: Api) -> None:
        assert found(alice, "jan", **{"class": "company"}) == [("Janus Ltd", "name")]

    def test_other_tenants_are_never_found(self, mallory: Api) -> None:
        assert found(mallory, "jane") == found(mallory, "jane@company.com") == []

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("", "required"),
            ("?q=", "required"),
            (f"?q={'x' * 201}", "max_length"),
            ("?q=a%00b", "control"),
            ("?q=a&limit=51", "max_value"),
            ("?q=a&class=Person", "invalid"),
        ],
    )
    def test_bad_parameters_are_named(self, alice: Api, query: str, code: str) -> None:
        answer = alice.get(f"/entity-registry/search{query}")
        assert error(answer) == (400, "validation_failed")
        assert answer.json()["error"]["details"][0]["code"] == code

    def test_two_hundred_letters_are_fine(self, alice: Api) -> None:
        assert found(alice, "x" * 200) == []

    def test_it_takes_as_many_queries_with_more_records(self, alice: Api) -> None:
        counts = []
        for _ in range(2):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                found(alice, "jane doe")
            counts.append(len(queries))
            for number in range(30):
                register(alice, name=f"Jane Doe {number}")
        assert counts[1] <= counts[0]


class TestList:
    def test_the_newest_first_by_page_and_by_cursor(self, alice: Api) -> None:
        for number in range(5):
            register(alice, name=f"P{number}")
        answer = alice.get("/entity-registry/list?limit=2&page=2")
        meta = answer.json()["meta"]
        assert [one["name"] for one in data(answer)] == ["P2", "P1"]
        assert (meta["total"], meta["totalPages"], meta["totalIsEstimate"]) == (5, 3, False)
        rest = alice.get(f"/entity-registry/list?limit=2&cursor={meta['nextCursor']}")
        assert [one["name"] for one in data(rest)] == ["P0"]
        assert rest.json()["meta"]["nextCursor"] is None
        first = alice.get("/entity-registry/list?limit=2").json()["meta"]["nextCursor"]
        assert listed(alice, f"?limit=2&cursor={first}") == ["P2", "P1"]
        assert error(alice.get(f"/entity-registry/list?page=1&cursor={first}")) == (400, "validation_failed")
        assert error(alice.get(f"/entity-registry/list?sort=name&cursor={first}")) == (400, "invalid_cursor")

    def test_filters(self, alice: Api) -> None:
        a = register(alice, name="A", **record("sales"))
        b = register(alice, name="B", entityClass="company", **record("support"))
        c = register(alice, name="C", **record("sales"))
        unlink(alice, c["linkId"])
        assert listed(alice, "?class=company") == ["B"]
        assert listed(alice, "?app=sales") == ["A"]
        assert listed(alice, "?orphaned=true") == ["C"]
        assert listed(alice, "?orphaned=false") == ["B", "A"]
        merge(alice, a["canonicalId"], c["canonicalId"])
        assert listed(alice) == ["B", "A"]
        assert listed(alice, "?status=merged") == ["C"]
        assert sorted(listed(alice, "?status=all")) == ["A", "B", "C"]
        since = data(alice.get(f"/entity-registry/{b['canonicalId']}"))["updatedAt"]
        assert "B" in listed(alice, f"?updatedSince={since}")
        assert listed(alice, "?updatedSince=2999-01-01T00:00:00Z") == []

    def test_sorted(self, alice: Api) -> None:
        for name in ("b", "Á", "c"):
            register(alice, name=name)
        assert listed(alice, "?sort=name") == ["Á", "b", "c"]
        assert listed(alice, "?sort=-name") == ["c", "b", "Á"]
        assert listed(alice, "?sort=createdAt") == ["b", "Á", "c"]
        assert listed(alice, "?sort=-updatedAt") == ["c", "Á", "b"]

    @pytest.mark.parametrize("query", ["status=gone", "sort=size", "orphaned=1", "updatedSince=now", "app=A", "x=1"])
    def test_bad_parameters_are_refused(self, alice: Api, query: str) -> None:
        assert alice.get(f"/entity-registry/list?{query}").status_code == 400

    @pytest.mark.parametrize("records", [1, 40])
    def test_a_page_takes_as_many_queries_whatever_its_length(self, alice: Api, records: int) -> None:
        for number in range(records):
            register(alice, name=f"P{number}")
        alice.get("/entity-registry/list")
        with CaptureQueriesContext(connection) as queries:
            listed(alice, "?limit=100")
        assert len([one for one in queries if "registry_" in one["sql"]]) == 2
