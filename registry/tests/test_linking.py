"""Links: made by hand, moved, taken off, and whom an app's record stands for."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry.models import Entity, Link
from registry.tests.support import (
    UNKNOWN,
    auto_link,
    by_entity,
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
from tests.support import Api, at_once, data, error, scaled


class TestLinking:
    def test_a_link_is_made_once(self, alice: Api) -> None:
        made, again = register(alice), record("support", "ticket", "T-1")
        one = link(alice, made["canonicalId"], **again)
        same = link(alice, made["canonicalId"], status=200, **again)
        assert (same["linkId"], one["created"], same["created"]) == (one["linkId"], True, False)
        assert entity(alice, made["canonicalId"])["linksCount"] == 2

    def test_a_linked_record_is_not_taken_away(self, alice: Api) -> None:
        one, other, again = register(alice), register(alice), record()
        linked = link(alice, one["canonicalId"], **again)
        answer = alice.post("/entity-registry/link", {"canonicalId": other["canonicalId"], **again})
        assert error(answer) == (409, "linked_elsewhere")
        context = answer.json()["error"]["context"]
        assert context == {"canonicalId": one["canonicalId"], "linkId": linked["linkId"]}

    def test_unless_it_is_moved(self, alice: Api) -> None:
        one, other, again = register(alice), register(alice), record()
        link(alice, one["canonicalId"], **again, snapshot={"phone": "1"})
        moved = link(alice, other["canonicalId"], move=True, **again)
        assert moved["movedFrom"] == one["canonicalId"]
        assert data(by_entity(alice, again))["canonical"]["canonicalId"] == other["canonicalId"]
        assert entity(alice, other["canonicalId"])["attributes"] == {"phone": "1"}
        assert entity(alice, one["canonicalId"])["attributes"] == {}
        assert genealogy(alice, one["canonicalId"])[-1]["op"] == "moved"

    def test_a_newer_snapshot_is_taken_and_an_older_one_is_not(self, alice: Api) -> None:
        again = record()
        made = register(alice, snapshot={"phone": "1"}, observedAt="2026-11-02T00:00:00Z", **again)
        for value, day, seen in (("2", "03", "2"), ("3", "01", "2")):
            at = f"2026-11-{day}T00:00:00Z"
            link(alice, made["canonicalId"], 200, snapshot={"phone": value}, observedAt=at, **again)
            assert entity(alice, made["canonicalId"])["attributes"] == {"phone": seen}

    def test_what_is_not_there_cannot_be_linked_to(self, alice: Api, mallory: Api) -> None:
        theirs = register(mallory)["canonicalId"]
        for canonical_id in (UNKNOWN, theirs):
            answer = alice.post("/entity-registry/link", {"canonicalId": canonical_id, **record()})
            assert error(answer) == (404, "not_found")
        answer = alice.post("/entity-registry/link", {"canonicalId": "x", **record()})
        assert error(answer) == (400, "validation_failed")

    def test_a_record_has_a_thousand_links_at_most(self, alice: Api, in_tenant: Any) -> None:
        made = register(alice)
        Entity.objects.filter(id=made["canonicalId"]).update(links_count=1000)
        answer = alice.post("/entity-registry/link", {"canonicalId": made["canonicalId"], **record()})
        assert error(answer) == (422, "link_limit")

    def test_an_id_of_before_leads_to_the_winner(self, alice: Api) -> None:
        winner, loser = register(alice)["canonicalId"], register(alice)["canonicalId"]
        merge(alice, winner, loser)
        linked = link(alice, loser)
        assert (linked["canonicalId"], linked["resolved"]) == (winner, True)
        assert linked["link"]["originCanonicalId"] == loser


class TestUnlinking:
    def test_the_last_link_leaves_an_orphan(self, alice: Api) -> None:
        made = register(alice, email="jane@company.com")
        assert unlink(alice, made["linkId"]) == {
            "canonicalId": made["canonicalId"],
            "remainingLinks": 0,
            "orphaned": True,
            "splitTo": None,
            "newLinkId": None,
        }
        shown = entity(alice, made["canonicalId"])
        assert (shown["name"], shown["orphaned"]) == ("Jane Doe", True)
        assert auto_link(alice, "jane@company.com", 200)["canonicalId"] == made["canonicalId"]

    def test_twice_is_not_found_and_says_since_when(self, alice: Api) -> None:
        made = register(alice)
        unlink(alice, made["linkId"])
        answer = alice.call("DELETE", f"/entity-registry/links/{made['linkId']}")
        assert error(answer) == (404, "not_found")
        assert "unlinkedAt" in answer.json()["error"]["context"]

    def test_the_record_of_the_app_can_be_linked_elsewhere_and_both_remember(self, alice: Api) -> None:
        again = record()
        one, other = register(alice, **again), register(alice)
        unlink(alice, one["linkId"])
        answer = by_entity(alice, again)
        assert error(answer) == (404, "not_found")
        assert answer.json()["error"]["context"] == {"previousCanonicalId": one["canonicalId"]}
        link(alice, other["canonicalId"], **again)
        found = data(by_entity(alice, again, "?includeHistory=true"))
        assert found["canonical"]["canonicalId"] == other["canonicalId"]
        assert [before["canonicalId"] for before in found["history"]] == [one["canonicalId"]]
        assert [step["op"] for step in genealogy(alice, one["canonicalId"])] == ["registered", "unlinked"]
        assert [step["op"] for step in genealogy(alice, other["canonicalId"])] == ["registered", "linked"]

    def test_split_gives_a_record_of_its_own_with_what_the_link_brought(self, alice: Api) -> None:
        made = register(alice, email="jane@company.com")
        brought = link(alice, made["canonicalId"], snapshot={"name": "John Doe", "email": "john@company.com"})
        split = unlink(alice, brought["linkId"], "?splitTo=new")
        assert (split["remainingLinks"], split["splitTo"] is not None) == (1, True)
        own = entity(alice, split["splitTo"])
        assert (own["name"], own["email"], own["linksCount"]) == ("John Doe", "john@company.com", 1)
        assert auto_link(alice, "john@company.com", 200)["canonicalId"] == split["splitTo"]
        assert auto_link(alice, "jane@company.com", 200)["canonicalId"] == made["canonicalId"]
        owners = replayed([*genealogy(alice, made["canonicalId"]), *genealogy(alice, split["splitTo"])])
        assert owners[split["newLinkId"]] == split["splitTo"]
        assert brought["linkId"] not in owners

    def test_also_when_it_brought_it_while_its_record_was_part_of_another(self, alice: Api) -> None:
        again = record()
        winner, loser = register(alice)["canonicalId"], register(alice, **again)
        done = merge(alice, winner, loser["canonicalId"])
        auto_link(alice, "jane@company.com", 200, **again)
        undo(alice, done["mergeId"])
        split = unlink(alice, loser["linkId"], "?splitTo=new")
        assert auto_link(alice, "jane@company.com", 200)["canonicalId"] == split["splitTo"]

    def test_split_of_the_link_that_made_a_record_gives_another_id(self, alice: Api) -> None:
        made = register(alice, email="jane@company.com")
        split = unlink(alice, made["linkId"], "?splitTo=new")
        assert split["splitTo"] != made["canonicalId"]
        assert auto_link(alice, "jane@company.com", 200)["canonicalId"] == split["splitTo"]

    def test_split_to_anything_but_new_is_refused(self, alice: Api) -> None:
        made = register(alice)
        answer = alice.call("DELETE", f"/entity-registry/links/{made['linkId']}?splitTo=old")
        assert error(answer) == (400, "validation_failed")

    def test_other_tenants_links_are_not_found(self, alice: Api, mallory: Api) -> None:
        made = register(alice)
        assert error(mallory.call("DELETE", f"/entity-registry/links/{made['linkId']}")) == (404, "not_found")
        assert entity(alice, made["canonicalId"])["linksCount"] == 1


class TestByEntity:
    @pytest.mark.parametrize("path", ["sales/lead/a%2Fb", f"sales/lead/{'x' * 129}", "Sales/lead/1", "sales/l%20d/1"])
    def test_what_can_be_nobodys_id_is_not_found(self, alice: Api, path: str) -> None:
        assert error(alice.get(f"/entity-registry/by-entity/{path}")) == (404, "not_found")

    def test_after_a_merge_it_is_the_winner(self, alice: Api) -> None:
        again = record()
        winner, loser = register(alice)["canonicalId"], register(alice, **again)["canonicalId"]
        merge(alice, winner, loser)
        assert data(by_entity(alice, again))["canonical"]["canonicalId"] == winner


@pytest.mark.commits
def test_a_link_to_a_record_that_is_being_merged_ends_on_the_winner(alice: Api, in_tenant: Any) -> None:
    rounds, links = scaled(5, 50), 6
    for _ in range(rounds):
        winner, loser = register(alice)["canonicalId"], register(alice)["canonicalId"]
        begun = threading.Event()

        def work(thread: int, loser: str = loser, winner: str = winner, begun: Any = begun) -> None:
            client = Api(alice.token)
            if thread == 0:
                begun.wait(5)
                merge(client, winner, loser)
                return
            link(client, loser)
            begun.set()

        at_once(links + 1, work)
        assert Link.objects.filter(entity_id=loser).count() == 0
        assert Link.objects.filter(entity_id=winner, unlinked_at=None).count() == links + 2
        assert entity(alice, winner)["linksCount"] == links + 2


@pytest.mark.parametrize("part", ["", "/profile", "/genealogy", "/timeline", "/merges", "/export"])
def test_reading_takes_as_many_queries_however_much_there_is(alice: Api, part: str) -> None:
    made = register(alice)["canonicalId"]
    path = f"/entity-registry/{made}{part}"
    counts = []
    for more in (1, 30):
        for _ in range(more):
            link(alice, made)
        merge(alice, made, register(alice, name="Somebody Else")["canonicalId"])
        data(alice.get(path))
        with CaptureQueriesContext(connection) as queries:
            data(alice.get(path))
        counts.append(len(queries))
    assert counts[0] == counts[1]
