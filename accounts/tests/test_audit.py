"""``GET /audit``: the journal as administrators read it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.audit import AuditFilter, audit_entries, audited_keys
from accounts.models import ApiKey, User
from platform_site.binding import bind
from platform_site.context import WorkContext, work_context
from platform_site.ids import uuid7
from platform_site.journal.keys import journal_keys
from platform_site.journal.models import JournalEntry
from platform_site.journal.services import record
from platform_site.outbox.models import OutboxRow
from tenancy.models import Tenant
from tests.support import Api

pytestmark = pytest.mark.as_owner
START = datetime(2025, 1, 1, tzinfo=UTC)
SIGNED_IN, SIGNED_OUT = "accounts.signed_in", "accounts.signed_out"
PRIVATE = "accounts.own_profile_updated"


def entry_id(at: datetime, number: int) -> UUID:
    """A UUIDv7 of this moment."""
    return UUID(int=int(at.timestamp() * 1000) << 80 | 7 << 76 | 2 << 62 | number)


def planted(number: int, **fields: Any) -> JournalEntry:
    """Entry number so and so, one a minute."""
    at = START + timedelta(minutes=number)
    return JournalEntry(**{"id": entry_id(at, number), "at": at, "key": SIGNED_IN, "origin": "192.0.2.1", **fields})


@pytest.fixture
def plant(alice: Api) -> Callable[..., None]:
    """Puts entries into acme's journal, which is empty before."""
    with bind(alice.tenant.ref):
        JournalEntry.objects.all().delete()

    def work(*entries: JournalEntry) -> None:
        with bind(alice.tenant.ref):
            JournalEntry.objects.bulk_create(entries)

    return work


def items(client: Api, query: str = "") -> list[dict[str, Any]]:
    response = client.get(f"/audit{query}")
    assert response.status_code == 200, response.content
    found: list[dict[str, Any]] = response.json()["data"]
    return found


def complaint(client: Api, query: str) -> tuple[int, str, list[tuple[str, str]]]:
    response = client.get(f"/audit{query}")
    error = response.json()["error"]
    return response.status_code, error["code"], [(item["field"], item["code"]) for item in error["details"]]


def minutes(found: list[dict[str, Any]]) -> list[int]:
    return [int((datetime.fromisoformat(item["at"]) - START).total_seconds() // 60) for item in found]


class TestWhoMayRead:
    def test_nobody_does_not(self, api: Api) -> None:
        assert api.get("/audit").status_code == 401

    def test_a_user_does_not(self, bob: Api) -> None:
        assert complaint(bob, "")[:2] == (403, "permission_denied")

    def test_an_administrator_of_another_tenant_sees_nothing_of_ours(self, alice: Api, mallory: Api) -> None:
        alice.call("PUT", "/org-settings/company.name", {"value": "Acme Limited"})
        assert items(alice)[0]["after"] == "Acme Limited"
        for query in ("", f"?actor={alice.user.uuid}", f"?subjectType=user&subjectId={alice.user.uuid}"):
            response = mallory.get(f"/audit{query}")
            assert response.status_code == 200
            assert b"Acme" not in response.content
            assert str(alice.user.uuid) not in response.content.decode()
        assert items(mallory, f"?actor={alice.user.uuid}") == []

    def test_a_cursor_of_another_tenant_is_refused(self, alice: Api, mallory: Api, plant: Callable[..., None]) -> None:
        plant(planted(1), planted(2))
        cursor = alice.get("/audit?limit=1").json()["meta"]["nextCursor"]
        assert alice.get(f"/audit?cursor={cursor}").status_code == 200
        assert complaint(mallory, f"?cursor={cursor}")[:2] == (400, "invalid_cursor")

    def test_nobody_changes_or_deletes_an_entry(self, alice: Api, plant: Callable[..., None]) -> None:
        plant(planted(1))
        found = items(alice)
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            assert alice.call(method, "/audit", {}).status_code == 405
            for path in (found[0]["id"], f"{found[0]['id']}/", "1"):
                assert alice.call(method, f"/audit/{path}", {}).status_code == 404
        assert items(alice) == found


class TestAnEntry:
    def test_it_says_who_did_what_to_what(self, alice: Api) -> None:
        changed = alice.call(
            "PUT", "/org-settings/company.date_format", {"value": "dd.MM.yyyy"}, x_request_id="request-0001"
        )
        assert changed.status_code == 200
        found = items(alice)[0]
        assert abs(datetime.fromisoformat(found.pop("at")) - datetime.now(UTC)) < timedelta(minutes=1)
        UUID(found.pop("id"))
        assert found == {
            "key": "tenancy.org_setting_changed",
            "meaning": "A setting of the organisation was changed",
            "actor": {"id": str(alice.user.uuid), "userId": 1, "displayName": "Alice", "kind": "person"},
            "impersonator": None,
            "origin": alice.address,
            "requestId": "request-0001",
            "subject": {"type": "org_setting", "id": "company.date_format", "label": "Date format"},
            "before": "yyyy-MM-dd",
            "after": "dd.MM.yyyy",
            "data": {"key": "company.date_format"},
        }

    def test_keys_that_are_not_audited_are_not_there(self, alice: Api, plant: Callable[..., None]) -> None:
        assert not journal_keys.get(PRIVATE).audited
        plant(planted(1), planted(2, key=PRIVATE), planted(3, key="gone.from_the_catalogue"))
        assert minutes(items(alice)) == [1]
        assert complaint(alice, f"?key={PRIVATE}")[0] == 400

    def test_a_person_is_named_and_an_erased_one_is_not(self, alice: Api, bob: Api, plant: Callable[..., None]) -> None:
        plant(planted(1, actor_id=bob.user.uuid, subject_type="user", subject_id=str(bob.user.uuid)))
        assert (items(alice)[0]["actor"]["displayName"], items(alice)[0]["subject"]["label"]) == ("Bob", "Bob")
        with bind(alice.tenant.ref):
            User.objects.filter(pk=bob.user.pk).update(status=User.Status.ERASED)
        found = items(alice)[0]
        name = f"Deleted user {bob.user.id}"
        assert found["actor"] == {
            "id": str(bob.user.uuid),
            "userId": bob.user.id,
            "displayName": name,
            "kind": "person",
        }
        assert found["subject"]["label"] == name
        assert "user@acme.test" not in json.dumps(found)

    def test_a_key_is_named(self, alice: Api, plant: Callable[..., None]) -> None:
        with bind(alice.tenant.ref):
            key = ApiKey.objects.create(
                name="CRM", key_id="k", secret_hash=b"x", hint="abcd", created_by_id=alice.user.id
            )
        plant(planted(1, actor_id=key.id, subject_type="api_key", subject_id=str(key.id)))
        found = items(alice)[0]
        assert found["actor"] == {"id": str(key.id), "userId": None, "displayName": "CRM", "kind": "api_key"}
        assert found["subject"]["label"] == "CRM"
        assert len(items(alice, f"?actor={key.id}")) == 1

    def test_the_platform_itself_has_a_kind_and_a_stranger_is_null(
        self, alice: Api, plant: Callable[..., None]
    ) -> None:
        plant(planted(1, origin="accounts.purge"), planted(2, origin="2001:db8::1"), planted(3, actor_id=uuid4()))
        assert [item["actor"] and item["actor"]["kind"] for item in items(alice)] == ["system", None, "system"]
        assert items(alice)[2]["actor"] == {"id": None, "userId": None, "displayName": "System", "kind": "system"}

    def test_what_a_command_recorded_is_the_systems(self, alice: Api) -> None:
        with bind(alice.tenant.ref), work_context(WorkContext(origin="tenant_suspend")), transaction.atomic():
            record(journal_keys.get("tenancy.tenant_suspended"))
        assert items(alice)[0]["actor"]["kind"] == "system"

    def test_staff_who_acted_for_somebody_are_named(self, alice: Api, plant: Callable[..., None]) -> None:
        plant(planted(1, actor_id=alice.user.uuid, impersonator="staff@platform.test"))
        assert items(alice)[0]["impersonator"] == "staff@platform.test"

    def test_secrets_are_masked_also_in_old_entries(self, alice: Api, plant: Callable[..., None]) -> None:
        data = {
            "password": "hunter2",
            "deep": {"apiKey": "hunter2", "list": [{"refreshToken": "hunter2", "kept": 1}, [{"SECRET": "hunter2"}]]},
            "before": {"authorization": "hunter2"},
            "after": [{"token": "hunter2"}],
        }
        plant(planted(1, data=data))
        response = alice.get("/audit")
        assert b"hunter2" not in response.content
        found = response.json()["data"][0]
        assert found["data"]["deep"]["list"][0] == {"refreshToken": "***", "kept": 1}
        assert found["before"] == {"authorization": "***"}

    def test_secrets_in_lists_do_not_get_into_the_journal(self, alice: Api) -> None:
        with bind(alice.tenant.ref), transaction.atomic():
            entry = record(journal_keys.get(SIGNED_IN), data={"links": [{"token": "hunter2"}], "pair": ("a", 1)})
            entry.refresh_from_db()
        assert entry.data == {"links": [{"token": "***"}], "pair": ["a", 1]}


class TestFilters:
    @pytest.fixture(autouse=True)
    def _entries(self, alice: Api, bob: Api, plant: Callable[..., None]) -> None:
        ours, theirs = alice.user.uuid, bob.user.uuid
        plant(
            planted(0, actor_id=ours, subject_type="user", subject_id=str(ours)),
            planted(1, actor_id=theirs, subject_type="user", subject_id=str(theirs)),
            planted(2, actor_id=ours, key="accounts.user_updated", subject_type="user", subject_id=str(theirs)),
            planted(3, actor_id=ours, key="tenancy.org_setting_changed", subject_type="channel", subject_id="5"),
            planted(4, key=SIGNED_OUT),
        )

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("", [4, 3, 2, 1, 0]),
            ("?key=accounts.signed_in", [1, 0]),
            ("?key=accounts.", [4, 2, 1, 0]),
            ("?key=tenancy.", [3]),
            ("?actor={alice}", [3, 2, 0]),
            ("?actor={ALICE}", [3, 2, 0]),
            ("?actor=1", [3, 2, 0]),
            ("?actor=999999999", []),
            ("?actor=00000000-0000-0000-0000-000000000000", []),
            ("?subjectType=user&subjectId={bob}", [2, 1]),
            ("?subjectType=user&subjectId={BOB}", [2, 1]),
            ("?subjectType=user&subjectId=2", [2, 1]),
            ("?subjectType=user&subjectId=77", []),
            ("?subjectType=channel&subjectId=5", [3]),
            ("?subjectType=channel&subjectId=2", []),
            ("?key=accounts.user_updated&actor=1&subjectType=user&subjectId=2", [2]),
            ("?from=2025-01-01T00:02:00Z", [4, 3, 2]),
            ("?to=2025-01-01T00:02:00Z", [1, 0]),
            ("?from=2025-01-01T00:01:00Z&to=2025-01-01T00:03:00Z", [2, 1]),
            ("?from=2025-01-01T03:01:00%2B02:00&to=2025-01-01T05:03:00%2B05:00", []),
            ("?from=2025-01-01T02:01:00%2B02:00&to=2025-01-01T05:03:00%2B05:00", [2, 1]),
            ("?from=2025-01-01T00:00:00.001Z", [4, 3, 2, 1]),
            ("?from=0001-01-01T00:00:00Z&to=9999-12-31T23:59:59Z", [4, 3, 2, 1, 0]),
            ("?from=2025-01-02T00:00:00Z&to=2025-01-01T00:00:00Z", []),
        ],
    )
    def test_a_filter_finds(self, alice: Api, bob: Api, query: str, expected: list[int]) -> None:
        names = {"alice": str(alice.user.uuid), "bob": str(bob.user.uuid)}
        names |= {name.upper(): value.upper() for name, value in names.items()}
        assert minutes(items(alice, query.format(**names))) == expected

    @pytest.mark.parametrize(
        ("query", "field", "code"),
        [
            ("key=accounts.nothing", "key", "invalid_choice"),
            ("key=accounts", "key", "invalid_choice"),
            ("key=nothing.", "key", "invalid_choice"),
            ("key=.", "key", "invalid_choice"),
            ("key=", "key", "invalid_choice"),
            ("key=%00", "key", "invalid_choice"),
            ("key=accounts.&key=tenancy.", "key", "invalid"),
            ("actor=", "actor", "invalid"),
            ("actor=0", "actor", "invalid"),
            ("actor=-1", "actor", "invalid"),
            ("actor=9999999999", "actor", "invalid"),
            ("actor=alice", "actor", "invalid"),
            ("actor=%00", "actor", "invalid"),
            ("subjectType=user", "subjectId", "required"),
            ("subjectId=1", "subjectType", "required"),
            ("subjectType=user&subjectId=x", "subjectId", "invalid"),
            ("subjectType=channel&subjectId=%00", "subjectId", "invalid"),
            ("subjectType=channel&subjectId=", "subjectId", "invalid"),
            (f"subjectType=channel&subjectId={'x' * 65}", "subjectId", "invalid"),
            ("subjectType=%00&subjectId=1", "subjectType", "invalid"),
            ("from=yesterday", "from", "invalid"),
            ("from=2025-01-01", "from", "invalid"),
            ("from=2025-01-01T00:00:00", "from", "naive"),
            ("to=2025-13-01T00:00:00Z", "to", "invalid"),
            ("to=", "to", "invalid"),
            ("limit=0", "limit", "min_value"),
            ("limit=101", "limit", "max_value"),
        ],
    )
    def test_what_cannot_be_meant_is_refused(self, alice: Api, query: str, field: str, code: str) -> None:
        assert complaint(alice, f"?{query}") == (400, "validation_failed", [(field, code)])

    def test_an_unknown_parameter_is_refused(self, alice: Api) -> None:
        assert complaint(alice, "?page=1")[:2] == (400, "unknown_parameter")

    def test_cursors_lead_through_a_filter_and_back(self, alice: Api) -> None:
        response = alice.get("/audit?actor=1&limit=2").json()
        assert minutes(response["data"]) == [3, 2]
        response = alice.get(f"/audit?actor=1&limit=2&cursor={quote(response['meta']['nextCursor'])}").json()
        assert minutes(response["data"]) == [0]
        assert response["meta"]["nextCursor"] is None
        response = alice.get(f"/audit?actor=1&limit=2&cursor={quote(response['meta']['prevCursor'])}").json()
        assert minutes(response["data"]) == [3, 2]


@pytest.mark.parametrize("count", [1, 100])
def test_a_page_costs_three_queries(alice: Api, bob: Api, plant: Callable[..., None], count: int) -> None:
    people = [alice.user.uuid, bob.user.uuid, uuid4()]
    plant(
        *(
            planted(number, actor_id=people[number % 3], subject_type="user", subject_id=str(people[number % 2]))
            for number in range(count)
        )
    )
    alice.get("/audit")
    with CaptureQueriesContext(connection) as queries:
        assert len(items(alice, "?limit=100")) == count
    assert len([query for query in queries if not query["sql"].startswith("SET search_path")]) == 3


class TestIndexes:
    """20 000 entries: no filter reads or sorts the whole table."""

    PEOPLE = [uuid4() for _ in range(40)]

    @pytest.fixture
    def many(self, in_tenant: Tenant) -> None:
        keys = audited_keys()
        for first in range(0, 20_000, 5_000):
            JournalEntry.objects.bulk_create(
                planted(
                    number,
                    # A few keys make most of a journal.
                    key=keys[0] if number % 5 else keys[number % len(keys)],
                    actor_id=self.PEOPLE[0] if number % 3 else self.PEOPLE[number % 40],
                    subject_type="user" if number % 7 else "org_setting",
                    subject_id=str(self.PEOPLE[number % 40]) if number % 7 else f"setting.{number % 9}",
                )
                for number in range(first, first + 5_000)
            )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE journal_journalentry")

    def test_every_filter_has_its_index(self, many: None) -> None:
        keys = audited_keys()
        choices_of_key = {
            "": keys,
            "frequent key": keys[:1],
            "rare key": keys[7:8],
            "prefix": audited_keys("accounts."),
        }
        actors = {"": None, "busy actor": self.PEOPLE[0], "rare actor": self.PEOPLE[3], "unknown actor": uuid7()}
        subjects: dict[str, Any] = {
            "": None,
            "user": ("user", self.PEOPLE[5]),
            "setting": ("org_setting", "setting.3"),
            "unknown subject": ("channel", "1"),
        }
        moment = START + timedelta(minutes=10_000)
        times = {"": {}, "from": {"since": moment}, "to": {"until": moment}, "early": {"until": START}}
        for key in choices_of_key:
            for actor in actors:
                for subject in subjects:
                    for time in times:
                        wanted = AuditFilter(choices_of_key[key], actors[actor], subjects[subject], **times[time])
                        name = f"{key}, {actor}, {subject}, {time}"
                        self._check(name, wanted)

    def _check(self, name: str, wanted: AuditFilter) -> None:
        found = audit_entries(wanted).order_by("-id")[:21]
        plan = json.loads(found.explain(format="json", analyze=True, buffers=False))[0]["Plan"]
        nodes = list(_nodes(plan))
        assert not [node for node in nodes if node["Node Type"] == "Seq Scan"], f"{name}: {plan}"
        # What an index picked out may be sorted when it is little.
        sorted_rows = [node["Plans"][0]["Actual Rows"] for node in nodes if "Sort" in node["Node Type"]]
        assert sum(sorted_rows) <= 1_000, f"{name}: {plan}"
        # A walk along an index may pass over others' entries, but not over most of the table.
        passed = sum(node.get("Rows Removed by Filter", 0) for node in nodes)
        assert passed <= 5_000, f"{name}: {passed} {plan}"


def _nodes(plan: dict[str, Any]) -> "list[dict[str, Any]]":
    return [plan, *(inner for child in plan.get("Plans", []) for inner in _nodes(child))]


def test_reading_makes_no_work(alice: Api) -> None:
    alice.get("/auth/me")
    before = OutboxRow.objects.count()
    with bind(alice.tenant.ref):
        entries = JournalEntry.objects.count()
    items(alice)
    with bind(alice.tenant.ref):
        assert JournalEntry.objects.count() == entries
    assert OutboxRow.objects.count() == before
