"""Merging: what moves, what survives, what stands in the way, and that all of it can be undone."""

from typing import Any

import pytest

from registry.models import Entity
from registry.tests.support import (
    UNKNOWN,
    auto_link,
    entity,
    genealogy,
    link,
    merge,
    record,
    register,
    replayed,
    undo,
    unlink,
)
from tests.support import Api, data, error


def refused(somebody: Api, winner: str, loser: str, **more: Any) -> tuple[int, str]:
    return error(somebody.post("/entity-registry/merge", {"winnerId": winner, "loserId": loser, **more}))


def pinned(somebody: Api, canonical_id: str, **body: Any) -> dict[str, Any]:
    return dict(data(somebody.call("PATCH", f"/entity-registry/{canonical_id}", body)))


def said(shown: dict[str, Any]) -> dict[str, Any]:
    """What a record says, without what counts changes."""
    return {name: value for name, value in shown.items() if name not in ("version", "updatedAt")}


class TestMerging:
    def test_links_and_addresses_move_and_the_old_id_answers_with_the_winner(self, alice: Api) -> None:
        winner = register(alice, name="Jane Doe", email="jane@company.com")["canonicalId"]
        lost = register(alice, name="J. Doe", email="jd@home.com")
        done = merge(alice, winner, lost["canonicalId"])
        assert done["moved"] == {"links": 1, "identifiers": 1, "openDuplicates": 0}
        answer = alice.get(f"/entity-registry/{lost['canonicalId']}")
        assert answer.headers["Content-Location"] == f"/api/v1/entity-registry/{winner}"
        shown = data(answer)
        assert (shown["canonicalId"], shown["requestedId"], shown["mergedInto"], shown["resolved"]) == (
            winner,
            lost["canonicalId"],
            winner,
            True,
        )
        assert shown["mergedIds"] == [lost["canonicalId"]]
        assert {one["value"] for one in shown["identifiers"]} == {"jane@company.com", "jd@home.com"}
        assert auto_link(alice, "jd@home.com", 200)["canonicalId"] == winner
        tombstone = entity(alice, lost["canonicalId"], "?resolve=false")
        assert (tombstone["status"], tombstone["mergedInto"], tombstone["name"]) == ("merged", winner, "J. Doe")

    def test_a_chain_is_one_step(self, alice: Api) -> None:
        a, b, c = (register(alice)["canonicalId"] for _ in range(3))
        first, second = merge(alice, b, a), merge(alice, c, b)
        assert entity(alice, a)["canonicalId"] == entity(alice, b)["canonicalId"] == c
        assert sorted(entity(alice, c)["mergedIds"]) == sorted([a, b])
        assert error(alice.post(f"/entity-registry/merges/{first['mergeId']}/undo")) == (409, "not_latest_merge")
        undo(alice, second["mergeId"])
        assert entity(alice, a)["canonicalId"] == b
        undo(alice, first["mergeId"])
        assert {entity(alice, one)["canonicalId"] for one in (a, b, c)} == {a, b, c}

    def test_the_same_again_says_that_it_is_done(self, alice: Api) -> None:
        winner, loser = register(alice)["canonicalId"], register(alice)["canonicalId"]
        done = merge(alice, winner, loser)
        again = merge(alice, winner, loser)
        assert (again["alreadyMerged"], again["mergeId"]) == (True, done["mergeId"])

    def test_what_cannot_be_merged(self, alice: Api, mallory: Api) -> None:
        a, b, c = (register(alice)["canonicalId"] for _ in range(3))
        company = register(alice, entityClass="company")["canonicalId"]
        theirs = register(mallory)["canonicalId"]
        assert refused(alice, a, a) == (422, "merge_self")
        assert refused(alice, a, UNKNOWN) == (404, "not_found")
        assert refused(alice, a, theirs) == (404, "not_found")
        assert refused(alice, a, company) == (422, "class_mismatch")
        merge(alice, a, b)
        assert refused(alice, c, b) == (409, "loser_already_merged")
        assert refused(alice, b, c) == (409, "winner_merged")
        assert refused(alice, a, c, expectedVersions={a: 1}) == (412, "precondition_failed")
        assert refused(alice, a, c, fieldDecisions={"shoeSize": "loser"}) == (422, "unknown_decision")
        assert refused(alice, a, c, fieldDecisions={"name": "neither"}) == (400, "validation_failed")
        assert entity(alice, c)["status"] == "active"

    def test_a_locked_record_is_not_merged(self, alice: Api) -> None:
        a, b = register(alice)["canonicalId"], register(alice)["canonicalId"]
        pinned(alice, b, locked=True)
        assert refused(alice, a, b) == (409, "entity_locked")
        planned = merge(alice, a, b, dryRun=True)
        assert [blocker["code"] for blocker in planned["blockers"]] == ["entity_locked"]
        pinned(alice, b, locked=False)
        merge(alice, a, b)

    def test_limits_are_blockers(self, alice: Api, in_tenant: Any) -> None:
        a, b = register(alice)["canonicalId"], register(alice)["canonicalId"]
        Entity.objects.filter(id=b).update(links_count=1000)
        planned = merge(alice, a, b, dryRun=True)
        assert [(one["code"], one["limit"], one["would"]) for one in planned["blockers"]] == [
            ("link_limit", 1000, 1001)
        ]
        assert refused(alice, a, b) == (422, "link_limit")
        Entity.objects.filter(id=b).update(links_count=1)
        Entity.objects.bulk_create(
            Entity(entity_class="person", name="x", name_key="x", search_text="x", status="merged", merged_into_id=a)
            for _ in range(100)
        )
        assert refused(alice, a, b) == (422, "merge_limit")

    def test_a_dry_run_tells_what_would_be_and_changes_nothing(self, alice: Api) -> None:
        a = register(alice, name="Jane Doe", email="jane@company.com", observedAt="2026-11-02T00:00:00Z")
        b = register(alice, name="J. Doe", snapshot={"phone": "+1"}, observedAt="2026-11-01T00:00:00Z")
        before = [entity(alice, one["canonicalId"]) for one in (a, b)]
        planned = merge(alice, a["canonicalId"], b["canonicalId"], dryRun=True)
        assert (planned["dryRun"], planned["mergeId"], planned["blockers"]) == (True, None, [])
        assert planned["moved"]["links"] == 1
        assert planned["fields"]["name"] == {
            "kept": "winner",
            "value": "Jane Doe",
            "winnerValue": "Jane Doe",
            "loserValue": "J. Doe",
        }
        assert (planned["fields"]["phone"]["kept"], planned["fields"]["phone"]["value"]) == ("loser", "+1")
        assert [entity(alice, one["canonicalId"]) for one in (a, b)] == before
        done = merge(alice, a["canonicalId"], b["canonicalId"])
        assert done["fields"] == planned["fields"]

    def test_decisions_stand_above_everything(self, alice: Api) -> None:
        a = register(alice, name="Jane", snapshot={"phone": "1", "city": "Bern"})["canonicalId"]
        b = register(alice, name="Janet", snapshot={"phone": "2"})["canonicalId"]
        decisions = {"name": {"value": "Jane D."}, "phone": "winner", "city": "loser"}
        done = merge(alice, a, b, fieldDecisions=decisions)
        shown = entity(alice, a)
        assert (shown["name"], shown["attributes"]["phone"], shown["attributes"]["city"]) == ("Jane D.", "1", None)
        assert done["fields"]["name"]["kept"] == "decided"
        link(alice, a, snapshot={"name": "Later", "phone": "9"})
        assert entity(alice, a)["name"] == "Jane D."

    def test_a_pinned_field_survives_merges_and_newer_snapshots(self, alice: Api) -> None:
        a, b = register(alice, name="Jane")["canonicalId"], register(alice, name="Janet")["canonicalId"]
        pinned(alice, a, pin={"name": "Jane Doe"})
        merge(alice, a, b)
        link(alice, a, snapshot={"name": "J."})
        assert entity(alice, a)["name"] == "Jane Doe"
        assert pinned(alice, a, unpin=["name"])["name"] == "J."


class TestUndoing:
    def test_gives_back_what_was(self, alice: Api) -> None:
        a = register(alice, name="Jane Doe", email="jane@company.com", snapshot={"phone": "1"})
        b = register(alice, name="J. Doe", email="jd@home.com", snapshot={"phone": "2", "tags": ["x"]})
        third = register(alice, name="Jane Doe", email="jane@company.com")
        before = [said(entity(alice, one["canonicalId"])) for one in (a, b, third)]
        pairs = data(alice.get("/entity-registry/duplicates"))
        done = merge(alice, a["canonicalId"], b["canonicalId"], fieldDecisions={"phone": "loser"})
        undone = undo(alice, done["mergeId"])
        assert (undone["moved"], undone["conflicts"]) == ({"links": 1, "identifiers": 1}, [])
        assert [said(entity(alice, one["canonicalId"])) for one in (a, b, third)] == before
        after = data(alice.get("/entity-registry/duplicates"))
        assert [pair["score"] for pair in after] == [pair["score"] for pair in pairs]
        assert error(alice.post(f"/entity-registry/merges/{done['mergeId']}/undo")) == (409, "merge_undone")

    def test_also_of_records_without_any_link(self, alice: Api) -> None:
        a, b = register(alice, name="Jane"), register(alice, name="Janet", snapshot={"city": "Bern"})
        unlink(alice, a["linkId"])
        before = [said(entity(alice, one["canonicalId"])) for one in (a, b)]
        done = merge(alice, a["canonicalId"], b["canonicalId"])
        assert entity(alice, a["canonicalId"])["attributes"] == {"city": "Bern"}
        undo(alice, done["mergeId"])
        assert [said(entity(alice, one["canonicalId"])) for one in (a, b)] == before

    def test_what_was_linked_to_the_loser_meanwhile_goes_with_it(self, alice: Api) -> None:
        a, b = register(alice)["canonicalId"], register(alice)["canonicalId"]
        done = merge(alice, a, b)
        to_loser = link(alice, b, snapshot={"email": "new@company.com"})
        to_winner = link(alice, a)
        undo(alice, done["mergeId"])
        assert to_loser["linkId"] in {one["linkId"] for one in entity(alice, b)["links"]}
        assert to_winner["linkId"] in {one["linkId"] for one in entity(alice, a)["links"]}

    def test_and_so_does_the_address_that_it_brought(self, alice: Api) -> None:
        a, b, again = register(alice)["canonicalId"], register(alice)["canonicalId"], record()
        first = merge(alice, a, b)
        link(alice, b, snapshot={"email": "linked@company.com"})
        link(alice, b, **again)
        auto_link(alice, "told@company.com", 200, **again)
        undo(alice, first["mergeId"])
        for email in ("linked@company.com", "told@company.com"):
            assert auto_link(alice, email, 200)["canonicalId"] == b

    def test_and_what_was_found_by_its_address(self, alice: Api) -> None:
        a, b = register(alice)["canonicalId"], register(alice, email="jd@home.com")["canonicalId"]
        done = merge(alice, a, b)
        found = auto_link(alice, "jd@home.com", 200)
        same = register(alice, email="jd@home.com", ifEmailExists="link", status=200)
        undo(alice, done["mergeId"])
        assert {found["linkId"], same["linkId"]} < {one["linkId"] for one in entity(alice, b)["links"]}
        assert entity(alice, a)["linksCount"] == 1

    def test_what_was_decided_since_stays_and_is_said(self, alice: Api) -> None:
        a, b = register(alice, name="Jane")["canonicalId"], register(alice, name="Janet")["canonicalId"]
        done = merge(alice, a, b, fieldDecisions={"name": "loser"})
        pinned(alice, a, pin={"name": "Jane Doe"})
        assert undo(alice, done["mergeId"])["conflicts"] == ["name"]
        assert entity(alice, a)["name"] == "Jane Doe"

    def test_merges_of_a_record_are_listed_the_last_first(self, alice: Api) -> None:
        a, b, c = (register(alice)["canonicalId"] for _ in range(3))
        one, two = merge(alice, a, b), merge(alice, a, c, reason="The same person.")
        shown = data(alice.get(f"/entity-registry/{b}/merges"))
        assert [merge["mergeId"] for merge in shown] == [two["mergeId"], one["mergeId"]]
        assert shown[0]["reason"] == "The same person."

    def test_of_another_tenant_is_not_found(self, alice: Api, mallory: Api) -> None:
        a, b = register(alice)["canonicalId"], register(alice)["canonicalId"]
        done = merge(alice, a, b)
        assert error(mallory.post(f"/entity-registry/merges/{done['mergeId']}/undo")) == (404, "not_found")
        assert entity(alice, b)["canonicalId"] == a


def test_the_genealogy_played_back_gives_the_links_of_today(alice: Api) -> None:
    a, b, c = (register(alice)["canonicalId"] for _ in range(3))
    link(alice, a)
    first = merge(alice, a, b)
    link(alice, b)
    unlink(alice, link(alice, a)["linkId"], "?splitTo=new")
    merge(alice, c, a)
    entries = {step["seq"]: step for one in (a, b, c) for step in genealogy(alice, one)}
    split = next(step["payload"]["splitTo"] for step in entries.values() if step["payload"].get("splitTo"))
    entries.update({step["seq"]: step for step in genealogy(alice, split)})
    owners = replayed(list(entries.values()))
    shown = {one["linkId"]: one_id for one_id in (c, split) for one in entity(alice, one_id)["links"]}
    assert owners == shown
    assert first["mergeId"] in {step["payload"].get("mergeId") for step in entries.values()}


@pytest.mark.parametrize("erased", [False, True])
def test_the_genealogy_of_a_record_that_came_back_needs_no_other(alice: Api, erased: bool) -> None:
    a, b, gone, late = (register(alice)["canonicalId"], register(alice), record(), record("support"))
    ended = link(alice, b["canonicalId"], **gone)
    done = merge(alice, a, b["canonicalId"])
    unlink(alice, ended["linkId"])
    linked = link(alice, b["canonicalId"], **late)
    undo(alice, done["mergeId"])
    if erased:
        data(alice.call("DELETE", f"/entity-registry/{a}", {}))
    steps = genealogy(alice, b["canonicalId"])
    assert replayed(steps) == {
        b["linkId"]: b["canonicalId"],
        linked["linkId"]: b["canonicalId"],
        ended["linkId"]: a,
    }
    told = steps[-1]["payload"]
    assert set(told["links"]) == {b["linkId"], linked["linkId"]}
    assert told["linkedSince"] == [
        {"linkId": linked["linkId"], **late, "entityId": str(late["entityId"]), "method": "manual"}
    ]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/entity-registry/019aaf1e"),
        ("GET", f"/entity-registry/{UNKNOWN}"),
        ("GET", f"/entity-registry/{UNKNOWN}/genealogy"),
        ("GET", f"/entity-registry/{UNKNOWN}/profile"),
        ("PATCH", f"/entity-registry/{UNKNOWN}"),
        ("DELETE", f"/entity-registry/{UNKNOWN}"),
        ("POST", f"/entity-registry/merges/{UNKNOWN}/undo"),
    ],
)
def test_ids_of_nobody_are_not_found(alice: Api, method: str, path: str) -> None:
    assert error(alice.call(method, path, None if method == "GET" else {})) == (404, "not_found")


def test_records_are_made_by_whom_may(alice: Api, bob: Api) -> None:
    made = register(bob, **record())
    assert error(bob.call("DELETE", f"/entity-registry/{made['canonicalId']}")) == (403, "permission_denied")
