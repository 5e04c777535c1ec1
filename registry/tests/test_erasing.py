"""Erasing somebody, what is exported before, the profile, and the change feed."""

import threading
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.utils import timezone

from events.models import Event
from events.subjects import directory
from platform_site.binding import bind
from registry.models import Entity, HistoryEntry, Identifier, Link, Merge
from registry.services.history import Op, Step, history_write
from registry.tests.support import (
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
from tests.support import Api, at_once, data, error, threads_close_connections


def erased(somebody: Api, canonical_id: str) -> None:
    data(somebody.call("DELETE", f"/entity-registry/{canonical_id}", {"reason": "Asked for it."}))


class TestErasing:
    def test_every_id_of_the_record_is_gone_and_nothing_is_known_any_more(self, alice: Api, in_tenant: Any) -> None:
        again = record("sales", "lead", "jane@company.com")
        winner = register(alice, name="Jane Doe", email="jane@company.com", snapshot={"phone": "+1"}, **again)
        loser = register(alice, name="Jane Doe", email="jd@home.com")
        merge(alice, winner["canonicalId"], loser["canonicalId"], reason="Jane herself said so.")
        erased(alice, winner["canonicalId"])
        for one in (winner, loser):
            assert error(alice.get(f"/entity-registry/{one['canonicalId']}")) == (410, "entity_erased")
            assert error(alice.get(f"/entity-registry/{one['canonicalId']}/genealogy")) == (410, "entity_erased")
        assert error(by_entity(alice, again)) == (404, "not_found")
        for table in (Entity, Identifier, Link, HistoryEntry, Merge):
            for row in table.objects.values():
                assert not [value for value in row.values() if "jane" in str(value).lower() or "jd@" in str(value)]

    def test_who_comes_back_is_somebody_new_and_it_is_noticed(self, alice: Api) -> None:
        first = auto_link(alice, "jane@company.com", 201)
        assert first["erasedBefore"] is False
        erased(alice, first["canonicalId"])
        second = auto_link(alice, "Jane@company.com", 201)
        assert second["canonicalId"] != first["canonicalId"]
        assert second["erasedBefore"] is True
        assert entity(alice, second["canonicalId"])["linksCount"] == 1

    def test_no_merge_of_it_is_undone_and_nothing_is_done_to_it(self, alice: Api) -> None:
        a, b, c = (register(alice)["canonicalId"] for _ in range(3))
        done = merge(alice, a, b)
        erased(alice, a)
        assert error(alice.post(f"/entity-registry/merges/{done['mergeId']}/undo")) == (410, "entity_erased")
        answer = alice.post("/entity-registry/merge", {"winnerId": c, "loserId": a})
        assert error(answer) == (410, "entity_erased")
        assert error(alice.post("/entity-registry/link", {"canonicalId": b, **record()})) == (410, "entity_erased")
        assert error(alice.call("DELETE", f"/entity-registry/{a}", {})) == (410, "entity_erased")
        assert data(alice.get("/entity-registry/list?status=all"))[0]["canonicalId"] == c

    def test_a_locked_record_is_not_erased(self, alice: Api) -> None:
        made = register(alice)["canonicalId"]
        data(alice.call("PATCH", f"/entity-registry/{made}", {"locked": True}))
        assert error(alice.call("DELETE", f"/entity-registry/{made}", {})) == (409, "entity_locked")

    def test_it_is_written_down_without_a_name(self, alice: Api) -> None:
        made = register(alice, name="Jane Doe")["canonicalId"]
        erased(alice, made)
        entries = [one for one in data(alice.get("/audit")) if one["key"] == "registry.entity_erased"]
        assert len(entries) == 1
        assert "Jane" not in str(entries[0])


@pytest.mark.commits
def test_nothing_is_stored_about_somebody_behind_the_back_of_their_erasure(alice: Api, tenant: Any) -> None:
    made = UUID(register(alice)["canonicalId"])
    found, tried = threading.Event(), threading.Event()

    def work(thread: int) -> None:
        if thread:
            found.wait(5)
            threading.Timer(0.5, tried.set).start()
            erased(Api(alice.token), str(made))
            return
        with bind(tenant.ref), transaction.atomic():
            assert directory().subjects([made])[made].erased is False
            found.set()
            tried.wait(5)
            Event.objects.create(canonical_id=made, app="a", category="b", action="c", occurred_at=timezone.now())

    at_once(2, work)
    with bind(tenant.ref):
        assert not Event.objects.exists()


class TestProfile:
    def test_each_field_says_who_says_so_and_what_others_say(self, alice: Api) -> None:
        old, new = "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"
        made = register(alice, name="Jane Doe", snapshot={"phone": "1", "tags": ["a"]}, observedAt=old)
        link(alice, made["canonicalId"], snapshot={"phone": "2", "tags": ["b"]}, observedAt=new, **record("support"))
        shown = data(alice.get(f"/entity-registry/{made['canonicalId']}/profile"))
        phone = shown["fields"]["phone"]
        assert (phone["value"], phone["provenance"]["rule"], phone["provenance"]["app"]) == (
            "2",
            "most_recent",
            "support",
        )
        assert [(one["value"], one["app"]) for one in phone["alternatives"]] == [("1", "sales")]
        assert shown["fields"]["tags"]["value"] == ["b", "a"]
        assert shown["fields"]["name"]["provenance"]["rule"] == "only_one"
        assert shown["apps"] == {"sales": 1, "support": 1}

    def test_the_order_of_sources_stands_above_time(self, alice: Api) -> None:
        data(alice.call("PUT", "/org-settings/registry.source_order", {"value": "crm, sales"}))
        made = register(alice, snapshot={"phone": "1"}, **record("crm"))
        link(alice, made["canonicalId"], snapshot={"phone": "2"})
        shown = data(alice.get(f"/entity-registry/{made['canonicalId']}/profile"))
        assert (shown["fields"]["phone"]["value"], shown["fields"]["phone"]["provenance"]["rule"]) == (
            "1",
            "source_order",
        )

    def test_what_was_decided_says_so(self, alice: Api) -> None:
        made = register(alice)["canonicalId"]
        data(alice.call("PATCH", f"/entity-registry/{made}", {"pin": {"name": "Jane D."}}))
        shown = data(alice.get(f"/entity-registry/{made}/profile"))
        assert shown["fields"]["name"]["provenance"] == {"rule": "pinned"}
        assert shown["fields"]["name"]["alternatives"][0]["value"] == "Jane Doe"

    def test_a_version_of_before_changes_nothing(self, alice: Api) -> None:
        made = register(alice)["canonicalId"]
        data(alice.call("PATCH", f"/entity-registry/{made}", {"pin": {"name": "A"}, "version": 1}))
        answer = alice.call("PATCH", f"/entity-registry/{made}", {"pin": {"name": "B"}, "version": 1})
        assert error(answer) == (409, "stale_version")
        assert entity(alice, made)["name"] == "A"

    def test_the_export_holds_everything(self, alice: Api) -> None:
        made = register(alice, email="jane@company.com", snapshot={"phone": "+1"})
        exported = data(alice.get(f"/entity-registry/{made['canonicalId']}/export"))
        assert exported["profile"]["name"] == "Jane Doe"
        assert exported["links"][0]["snapshot"]["phone"] == "+1"
        assert [step["op"] for step in exported["history"]] == ["registered", "identifier_added"]
        assert (exported["events"], exported["eventsComplete"]) == ([], True)


class TestDuplicates:
    def test_a_pair_is_proposed_until_somebody_says_no(self, alice: Api) -> None:
        a = register(alice, name="Jane Doe", email="jane@company.com")["canonicalId"]
        b = register(alice, name="Jane Doe", email="jane@company.com")["canonicalId"]
        assert [one["canonicalId"] for one in data(alice.get(f"/entity-registry/{a}/duplicates"))] == [b]
        data(alice.post(f"/entity-registry/{b}/duplicates/{a}/dismiss"))
        assert data(alice.get(f"/entity-registry/{a}/duplicates")) == []
        assert data(alice.get("/entity-registry/duplicates")) == []
        register(alice, name="Jane Doe", email="jane@company.com")
        shown = data(alice.get("/entity-registry/duplicates"))
        assert {a, b} not in [{one["canonicalId"] for one in pair["records"]} for pair in shown]

    def test_two_can_be_said_to_be_different_that_nobody_proposed(self, alice: Api, mallory: Api) -> None:
        a, b = register(alice, name="A")["canonicalId"], register(alice, name="B")["canonicalId"]
        path = f"/entity-registry/{a}/duplicates/{b}/dismiss"
        assert error(mallory.post(path)) == (404, "not_found")
        assert data(alice.post(path)) == {"dismissed": True}
        assert error(alice.post(f"/entity-registry/{a}/duplicates/{a}/dismiss")) == (422, "merge_self")

    def test_a_merge_answers_its_pair_and_takes_the_others_along(self, alice: Api) -> None:
        a, b, c = (register(alice, name="Jane Doe", email="jane@company.com")["canonicalId"] for _ in range(3))
        merge(alice, a, b)
        pairs = data(alice.get("/entity-registry/duplicates"))
        assert [{one["canonicalId"] for one in pair["records"]} for pair in pairs] == [{a, c}]


class TestChanges:
    def test_the_feed_goes_on_where_one_stopped(self, alice: Api) -> None:
        start = alice.get("/entity-registry/changes").json()["meta"]["nextCursor"]
        made = register(alice)["canonicalId"]
        answer = alice.get(f"/entity-registry/changes?cursor={start}")
        assert [(one["op"], one["canonicalIdAtTime"]) for one in data(answer)] == [("registered", made)]
        after = answer.json()["meta"]["nextCursor"]
        assert data(alice.get(f"/entity-registry/changes?cursor={after}")) == []
        assert len(genealogy(alice, made)) == 1

    def test_it_gives_the_links_of_today_also_after_records_of_it_were_erased(self, alice: Api) -> None:
        stays, left, gone = register(alice), register(alice), register(alice)
        ended = link(alice, stays["canonicalId"])
        done = merge(alice, left["canonicalId"], stays["canonicalId"])
        unlink(alice, ended["linkId"])
        undo(alice, done["mergeId"])
        merge(alice, gone["canonicalId"], left["canonicalId"])
        erased(alice, gone["canonicalId"])
        entries = data(alice.get("/entity-registry/changes"))
        assert [one["canonicalIdAtTime"] for one in entries if one["op"] == "erased"] == [
            gone["canonicalId"],
            left["canonicalId"],
        ]
        assert replayed(entries) == {stays["linkId"]: stays["canonicalId"]}

    @pytest.mark.commits
    def test_nothing_appears_behind_a_cursor_later(self, alice: Api, tenant: Any) -> None:
        made = register(alice)["canonicalId"]
        written, seen = threading.Event(), threading.Event()

        def slow() -> None:
            with threads_close_connections(), bind(tenant.ref), transaction.atomic():
                history_write([Step(made, Op.LOCKED)])
                written.set()
                # Somebody writes after us and commits before us.
                seen.wait(1)

        thread = threading.Thread(target=slow)
        thread.start()
        written.wait(5)
        register(Api(alice.token))
        ops = []
        cursor = ""
        for _ in range(2):
            answer = alice.get(f"/entity-registry/changes{cursor}")
            ops += [one["op"] for one in data(answer)]
            cursor = f"?cursor={answer.json()['meta']['nextCursor']}"
            seen.set()
        thread.join()
        answer = alice.get(f"/entity-registry/changes{cursor}")
        ops += [one["op"] for one in data(answer)]
        assert sorted(ops) == ["locked", "registered", "registered"]
        connection.close()
