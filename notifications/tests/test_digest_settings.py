"""``/notifications/analytics/digest/settings``: one's own digests."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from notifications.models import Digest
from notifications.tests.support import deliveries, raise_lead
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from platform_site.outbox.models import OutboxRow
from tests.support import Api, at_once

PATH = "/notifications/analytics/digest/settings"


def put(person: Api, **body: Any) -> dict[str, Any]:
    answer = person.call("PUT", PATH, body)
    assert answer.status_code == 200, answer.content
    data: dict[str, Any] = answer.json()["data"]
    return data


def seen(person: Api) -> dict[str, Any]:
    data: dict[str, Any] = person.get(PATH).json()["data"]
    return data


def test_they_begin_turned_off(bob: Api) -> None:
    assert seen(bob) == {
        "enabled": False,
        "frequency": "off",
        "time": "09:00",
        "dayOfWeek": 1,
        "timezone": "UTC",
        "timezoneSource": "profile",
        "channels": ["email"],
        "skipIfEmpty": True,
        "nextRunAt": None,
    }


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_what_is_chosen_is_kept_for_oneself(bob: Api, alice: Api, method: str) -> None:
    body = {"frequency": "weekly", "time": "20:30", "dayOfWeek": 5, "timezone": "Asia/Tokyo"}
    answer = bob.call(method, PATH, body)
    assert answer.status_code == 200
    data = answer.json()["data"]
    assert {**data, **body} == data
    assert (data["enabled"], data["timezoneSource"]) == (True, "own")
    # Friday, 20:30 in Tokyo.
    comes = datetime.fromisoformat(data["nextRunAt"])
    assert (comes.isoweekday(), comes.hour, comes.minute) == (5, 11, 30)
    assert timedelta(0) < comes - datetime.now(UTC) <= timedelta(days=7)
    assert seen(bob) == data
    assert seen(alice)["frequency"] == "off"


def test_what_is_not_named_stays(bob: Api) -> None:
    put(bob, frequency="weekly", time="20:30", dayOfWeek=5)
    data = put(bob, timezone="Asia/Tokyo")
    assert (data["frequency"], data["time"], data["dayOfWeek"]) == ("weekly", "20:30", 5)
    assert put(bob)["time"] == "20:30"


@pytest.mark.parametrize(
    ("before", "body", "frequency"),
    [
        ("off", {"enabled": True}, "daily"),
        ("off", {"enabled": True, "frequency": "off"}, "daily"),
        ("off", {"enabled": True, "frequency": "hourly"}, "hourly"),
        ("off", {"enabled": False, "frequency": "hourly"}, "off"),
        ("weekly", {"enabled": True}, "weekly"),
        ("weekly", {"enabled": False}, "off"),
        ("weekly", {"frequency": "off"}, "off"),
        ("weekly", {"frequency": "daily"}, "daily"),
    ],
)
def test_turned_off_is_the_frequency_off(bob: Api, before: str, body: dict[str, Any], frequency: str) -> None:
    put(bob, frequency=before)
    data = put(bob, **body)
    assert (data["frequency"], data["enabled"]) == (frequency, frequency != "off")
    assert (data["nextRunAt"] is None) == (frequency == "off")


def test_the_profile_s_zone_counts_where_none_was_chosen(bob: Api) -> None:
    bob.call("PATCH", "/auth/me/profile", {"timezone": "Asia/Tokyo"})
    data = put(bob, frequency="daily", time="09:00")
    assert (data["timezone"], data["timezoneSource"], data["nextRunAt"][11:16]) == ("Asia/Tokyo", "profile", "00:00")
    assert put(bob, timezone="Asia/Kathmandu")["nextRunAt"][11:16] == "03:15"
    assert put(bob, timezone=None)["timezone"] == "Asia/Tokyo"


@pytest.mark.parametrize(
    "body",
    [
        {"frequency": "yearly"},
        {"time": "24:00"},
        {"time": "9:00"},
        {"dayOfWeek": 0},
        {"dayOfWeek": 8},
        {"timezone": "+02:00"},
        {"channels": ["in_app"]},
        {"channels": []},
        {"skipIfEmpty": False},
        {"enabled": "true"},
        {"nextRunAt": None},
    ],
)
def test_what_makes_no_sense_is_refused(bob: Api, body: dict[str, Any]) -> None:
    answer = bob.call("PUT", PATH, {"frequency": "daily", **body})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "validation_failed")
    assert error["details"][0]["field"].partition(".")[0] in body
    assert seen(bob)["frequency"] == "off"


def test_what_was_gathered_comes_at_the_new_time(bob: Api, alice: Api) -> None:
    put(bob, frequency="weekly", timezone="Asia/Tokyo")
    raise_lead(alice, bob)
    (delivery,) = deliveries(bob)
    comes = datetime.fromisoformat(put(bob, frequency="hourly")["nextRunAt"])
    with bind(bob.tenant.ref):
        digest = Digest.objects.get(id=delivery.digest_id)
        job = OutboxRow.objects.get(entry_id=digest.id)
    assert digest.due_at == job.available_at == comes


def test_it_is_written_down_and_is_no_matter_of_the_audit_log(bob: Api, alice: Api) -> None:
    put(bob, frequency="daily")
    with bind(bob.tenant.ref):
        (entry,) = JournalEntry.objects.filter(key="notifications.digest_settings_changed")
    assert (entry.subject_id, entry.data) == (str(bob.user.uuid), {"frequency": "daily"})
    assert not [one for one in alice.get("/audit").json()["data"] if "digest" in one["key"]]


@pytest.mark.commits
def test_changed_at_once_no_change_is_lost(bob: Api) -> None:
    bodies: list[dict[str, Any]] = [
        {"frequency": "weekly"},
        {"time": "20:30"},
        {"dayOfWeek": 5},
        {"timezone": "Asia/Tokyo"},
    ]
    done = at_once(4, lambda number: Api(token=bob.token).call("PUT", PATH, bodies[number]).status_code)
    assert (done.results, done.most_at_once > 1) == ([200] * 4, True)
    data = seen(bob)
    assert (data["frequency"], data["time"], data["dayOfWeek"], data["timezone"]) == (
        "weekly", "20:30", 5, "Asia/Tokyo",
    )  # fmt: skip
