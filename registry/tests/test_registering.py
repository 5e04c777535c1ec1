"""``/entity-registry/register`` and ``/auto-link``: making records, and finding them by an address."""

import threading
from typing import Any

import pytest

from registry.models import Entity, Identifier, Link
from registry.tests.support import auto_link, entity, genealogy, record, register
from tests.support import Api, at_once, data, error, scaled

THREADS, ADDRESSES = 8, scaled(25, 200)


class TestRegistering:
    def test_the_contracts_body_works(self, alice: Api) -> None:
        body = {
            "name": "Jane Doe",
            "email": "jane@company.com",
            "entityClass": "person",
            "app": "sales",
            "entityType": "lead",
            "entityId": 42,
        }
        made = data(alice.post("/entity-registry/register", body), 201)
        assert (made["created"], made["possibleDuplicates"]) == (True, [])
        assert made["entity"]["name"] == "Jane Doe"
        assert (made["entity"]["email"], made["entity"]["linksCount"]) == ("jane@company.com", 1)
        shown = entity(alice, made["canonicalId"])
        assert [one["entityId"] for one in shown["links"]] == ["42"]
        assert [one["value"] for one in shown["identifiers"]] == ["jane@company.com"]
        assert [step["op"] for step in genealogy(alice, made["canonicalId"])] == ["registered", "identifier_added"]

    def test_the_same_words_again_change_nothing(self, alice: Api) -> None:
        again = record()
        made = register(alice, email="jane@company.com", **again)
        same = register(alice, email="jane@company.com", status=200, **again)
        assert (same["canonicalId"], same["created"]) == (made["canonicalId"], False)

    def test_a_number_and_its_text_are_one_id(self, alice: Api) -> None:
        made = register(alice, entityId=42)
        assert register(alice, entityId="42", status=200)["canonicalId"] == made["canonicalId"]

    def test_other_words_about_a_linked_record_are_refused(self, alice: Api) -> None:
        again = record()
        made = register(alice, **again)
        answer = alice.post("/entity-registry/register", {"name": "John", **again})
        assert error(answer) == (409, "entity_already_linked")
        assert answer.json()["error"]["context"]["canonicalId"] == made["canonicalId"]

    def test_a_taken_address_makes_a_record_and_warns(self, alice: Api) -> None:
        first = register(alice, email="jane@company.com")
        second = register(alice, name="Someone Else", email="JANE@Company.com")
        assert second["canonicalId"] != first["canonicalId"]
        assert [one["canonicalId"] for one in second["possibleDuplicates"]] == [first["canonicalId"]]
        assert entity(alice, second["canonicalId"])["identifiers"] == []
        assert auto_link(alice, "jane@company.com", 200)["canonicalId"] == first["canonicalId"]

    def test_or_refuses_or_links_when_told_so(self, alice: Api) -> None:
        first = register(alice, email="jane@company.com")
        body = {"name": "J", "email": "jane@company.com", "ifEmailExists": "error", **record()}
        answer = alice.post("/entity-registry/register", body)
        assert error(answer) == (409, "identifier_taken")
        assert answer.json()["error"]["context"] == {"canonicalId": first["canonicalId"]}
        linked = register(alice, email="jane@company.com", ifEmailExists="link", status=200)
        assert (linked["canonicalId"], linked["created"]) == (first["canonicalId"], False)

    def test_another_class_has_addresses_of_its_own(self, alice: Api) -> None:
        person = register(alice, email="jane@company.com")
        company = register(alice, name="Company", email="jane@company.com", entityClass="company")
        assert company["possibleDuplicates"] == []
        assert auto_link(alice, "jane@company.com", 200, entityClass="company")["canonicalId"] == company["canonicalId"]
        assert auto_link(alice, "jane@company.com", 200)["canonicalId"] == person["canonicalId"]

    @pytest.mark.parametrize(
        ("field", "value", "code"),
        [
            ("name", "", "blank"),
            ("name", "J\x07", "control"),
            ("name", "x" * 256, "max_length"),
            ("name", 7, "not_text"),
            ("email", "nobody", "invalid"),
            ("entityClass", "Person", "invalid"),
            ("app", "../sales", "invalid"),
            ("entityType", "", "blank"),
            ("entityId", "a/b", "invalid"),
            ("entityId", True, "invalid"),
            ("entityId", "x" * 129, "invalid"),
            ("snapshot", [], "not_a_dict"),
            ("observedAt", "2026-11-28T09:00:00", "naive"),
            ("ifEmailExists", "maybe", "invalid_choice"),
            ("other", 1, "unknown_field"),
        ],
    )
    def test_bad_fields_are_named(self, alice: Api, field: str, value: Any, code: str) -> None:
        answer = alice.post("/entity-registry/register", {"name": "Jane", **record(), field: value})
        assert error(answer) == (400, "validation_failed")
        assert [(one["field"], one["code"]) for one in answer.json()["error"]["details"]] == [(field, code)]

    def test_a_snapshot_has_an_end(self, alice: Api) -> None:
        for snapshot in ({"a": "x" * 33_000}, {str(n): n for n in range(301)}, {"a": [[[[[[[[[[1]]]]]]]]]]}):
            answer = alice.post("/entity-registry/register", {"name": "Jane", **record(), "snapshot": snapshot})
            assert error(answer) == (400, "validation_failed"), answer.content

    def test_the_same_key_gives_the_same_answer(self, alice: Api) -> None:
        body = {"name": "Jane", **record()}
        first = alice.post("/entity-registry/register", body, idempotency_key="k")
        again = alice.post("/entity-registry/register", body, idempotency_key="k")
        assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())


class TestAutoLinking:
    def test_one_address_is_one_record(self, alice: Api) -> None:
        made = auto_link(alice, "jane@company.com", 201, name="Jane Doe")
        assert (made["action"], made["matchedBy"]) == ("created", None)
        linked = auto_link(alice, " Jane@COMPANY.com ", 200, app="support", entityType="ticket")
        assert (linked["canonicalId"], linked["action"], linked["matchedBy"]) == (
            made["canonicalId"],
            "linked",
            "email",
        )
        assert entity(alice, made["canonicalId"])["linksCount"] == 2

    def test_what_is_linked_stays_where_it_is(self, alice: Api) -> None:
        again = record()
        made = auto_link(alice, "jane@company.com", 201, **again)
        same = auto_link(alice, "jane@company.com", 200, **again)
        assert (same["canonicalId"], same["action"], same["conflict"]) == (made["canonicalId"], "existing", None)

    def test_a_second_address_is_the_records_too(self, alice: Api) -> None:
        again = record()
        made = auto_link(alice, "jane@company.com", 201, **again)
        auto_link(alice, "jane@home.com", 200, **again)
        assert auto_link(alice, "jane@home.com", 200)["canonicalId"] == made["canonicalId"]

    def test_the_address_of_another_is_a_conflict_and_a_pair_and_no_merge(self, alice: Api) -> None:
        again = record()
        one = auto_link(alice, "jane@company.com", 201, **again)
        other = auto_link(alice, "jd@company.com", 201)
        found = auto_link(alice, "jd@company.com", 200, **again)
        assert (found["canonicalId"], found["conflict"]) == (
            one["canonicalId"],
            {"emailOwner": other["canonicalId"]},
        )
        pairs = data(alice.get("/entity-registry/duplicates"))
        assert {record["canonicalId"] for record in pairs[0]["records"]} == {one["canonicalId"], other["canonicalId"]}

    @pytest.mark.parametrize("email", ["noreply@company.com", "no-reply@company.com", "null@company.com"])
    def test_an_address_of_nobody_finds_nobody(self, alice: Api, email: str) -> None:
        one, other = auto_link(alice, email, 201), auto_link(alice, email, 201)
        assert one["canonicalId"] != other["canonicalId"]
        assert (one["matchedBy"], one["reason"]) == (None, "blocked_identifier")

    def test_a_tenant_names_mailboxes_that_are_shared(self, alice: Api) -> None:
        assert auto_link(alice, "info@company.com", 201)["reason"] is None
        data(alice.call("PUT", "/org-settings/registry.shared_mailboxes", {"value": "info, sales@company.com"}))
        assert auto_link(alice, "info@other.com", 201)["reason"] == "blocked_identifier"
        assert auto_link(alice, "sales@company.com", 201)["reason"] == "blocked_identifier"
        assert auto_link(alice, "sales@other.com", 201)["reason"] is None

    def test_dots_and_tags_make_no_one_out_of_two(self, alice: Api) -> None:
        one = auto_link(alice, "Jane.Doe+x@GMail.com", 201, name="Jane Doe")
        other = auto_link(alice, "janedoe@googlemail.com", 201, name="Jane Doe")
        assert [found["canonicalId"] for found in other["possibleDuplicates"]] == [one["canonicalId"]]

    def test_an_invalid_address_is_refused(self, alice: Api) -> None:
        answer = alice.post("/entity-registry/auto-link", {"email": "jane", **record()})
        assert error(answer) == (400, "validation_failed")

    def test_a_record_that_nobody_names_is_called_by_its_address(self, alice: Api) -> None:
        assert auto_link(alice, "jane@company.com", 201)["entity"]["name"] == "jane@company.com"

    def test_other_tenants_know_nothing_of_it(self, alice: Api, mallory: Api) -> None:
        made = auto_link(alice, "jane@company.com", 201)
        other = auto_link(mallory, "jane@company.com", 201)
        assert other["canonicalId"] != made["canonicalId"]
        assert error(mallory.get(f"/entity-registry/{made['canonicalId']}")) == (404, "not_found")


@pytest.mark.commits
class TestOfManyAtOnce:
    def test_one_address_from_eight_threads_is_one_record(self, alice: Api, in_tenant: Any) -> None:
        # All at the same address at the same moment, address by address.
        together = threading.Barrier(THREADS)

        def work(thread: int) -> list[int]:
            client, statuses = Api(alice.token), []
            for n in range(ADDRESSES):
                together.wait(30)
                body = {"email": f"p{n}@company.com", **record("app", "row", f"{thread}-{n}")}
                statuses.append(client.post("/entity-registry/auto-link", body).status_code)
            return statuses

        done = at_once(THREADS, work)
        assert done.most_at_once > 1
        statuses = [status for thread in done.results for status in thread]
        assert sorted(set(statuses)) == [200, 201]
        assert statuses.count(201) == ADDRESSES
        assert Entity.objects.count() == Identifier.objects.count() == ADDRESSES
        assert Link.objects.count() == THREADS * ADDRESSES
        assert set(Entity.objects.values_list("links_count", flat=True)) == {THREADS}

    def test_one_record_of_an_app_from_many_threads_is_one_link(self, alice: Api, in_tenant: Any) -> None:
        same = record()

        def work(thread: int) -> dict[str, Any]:
            answer = Api(alice.token).post("/entity-registry/register", {"name": "Jane", **same})
            return dict(answer.json()["data"])

        made = at_once(THREADS, work).results
        assert len({one["canonicalId"] for one in made}) == 1
        assert [one["created"] for one in made].count(True) == 1
        assert (Entity.objects.count(), Link.objects.count()) == (1, 1)
