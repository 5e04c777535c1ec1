"""``/notifications/preferences``: the catalogue, what counts, choosing, and quiet hours."""

from typing import Any

import pytest

from notifications.tests.support import LEAD
from tests.support import Api, at_once

PATH = "/notifications/preferences"
CHOICE = {"eventKey": LEAD, "channel": "email", "enabled": False}


def error(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def counts_for(person: Api, event: str = LEAD, channel: str = "email") -> dict[str, Any]:
    rows = person.get(PATH).json()["data"]
    return next(row for row in rows if (row["eventKey"], row["channel"]) == (event, channel))


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST"])
def test_the_contract_s_example_works_by_every_method(bob: Api, alice: Api, method: str) -> None:
    before = counts_for(bob)
    assert (before["enabled"], before["source"], before["isOverridden"]) == (True, "system", False)
    answer = bob.call(method, PATH, CHOICE)
    assert answer.status_code == 200
    data = answer.json()["data"]
    assert (data["enabled"], data["source"], data["isOverridden"]) == (False, "user", True)
    assert counts_for(bob) == data
    assert counts_for(alice)["enabled"] is True


def test_null_goes_back_to_the_default(bob: Api) -> None:
    bob.call("PUT", PATH, CHOICE)
    data = bob.call("PUT", PATH, {**CHOICE, "enabled": None}).json()["data"]
    assert (data["enabled"], data["source"], data["isOverridden"], data["updatedAt"]) == (True, "system", False, None)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"eventKey": "no.such_event"}, "unknown_event"),
        ({"channel": "pigeon"}, "unknown_channel"),
        ({"eventKey": "auth.password_changed"}, "channel_not_supported"),
        ({"enabled": "false"}, "validation_failed"),
        ({"enabled": 0}, "validation_failed"),
        ({"more": 1}, "validation_failed"),
    ],
)
def test_what_makes_no_sense_is_refused(bob: Api, change: dict[str, Any], code: str) -> None:
    assert error(bob.call("PUT", PATH, {**CHOICE, **change})) == (400, code)
    assert counts_for(bob)["isOverridden"] is False


def test_what_is_mandatory_stays_on(bob: Api) -> None:
    choice = {"eventKey": "auth.password_changed", "channel": "in_app"}
    assert error(bob.call("PUT", PATH, {**choice, "enabled": False})) == (409, "preference_locked")
    data = bob.call("PUT", PATH, {**choice, "enabled": True}).json()["data"]
    assert (data["enabled"], data["source"], data["locked"]) == (True, "mandatory", True)


def test_the_catalogue_says_the_same_as_the_list(bob: Api) -> None:
    bob.call("PUT", PATH, CHOICE)
    catalogue = bob.get(f"{PATH}/catalog").json()["data"]
    flat = {
        (event["eventKey"], channel["channel"]): channel["effective"]
        for module in catalogue
        for event in module["events"]
        for channel in event["channels"]
    }
    assert flat == {(row["eventKey"], row["channel"]): row["enabled"] for row in bob.get(PATH).json()["data"]}
    assert flat[LEAD, "email"] is False
    assert {"auth", "users", "sales"} <= {module["module"] for module in catalogue}


@pytest.mark.commits
def test_chosen_at_once_it_is_one_choice(bob: Api) -> None:
    done = at_once(8, lambda number: Api(token=bob.token).call("PUT", PATH, CHOICE).status_code)
    assert (done.results, done.most_at_once > 1) == ([200] * 8, True)
    assert counts_for(bob)["enabled"] is False


class TestQuietHours:
    URL = f"{PATH}/dnd"

    def test_they_begin_turned_off(self, bob: Api) -> None:
        data = bob.get(self.URL).json()["data"]
        assert (data["enabled"], data["startTime"], data["endTime"]) == (False, "22:00", "08:00")
        assert (data["timezone"], data["timezoneSource"], data["isActive"], data["until"]) == (
            "UTC", "profile", False, None,
        )  # fmt: skip

    def test_the_contract_s_example(self, bob: Api) -> None:
        body = {"enabled": True, "startTime": "22:00", "endTime": "08:00", "timezone": "America/New_York"}
        data = bob.call("PUT", self.URL, body).json()["data"]
        assert {**data, **body} == data
        assert (data["timezoneSource"], data["days"]) == ("own", [1, 2, 3, 4, 5, 6, 7])
        assert data["isActive"] is (data["until"] is not None)
        assert bob.get(self.URL).json()["data"] | {"until": 0, "nextStart": 0} == data | {"until": 0, "nextStart": 0}

    def test_what_is_not_named_stays(self, bob: Api) -> None:
        bob.call("PUT", self.URL, {"enabled": True, "startTime": "20:30", "days": [7, 6]})
        data = bob.call("PATCH", self.URL, {"endTime": "07:15"}).json()["data"]
        assert (data["enabled"], data["startTime"], data["endTime"], data["days"]) == (True, "20:30", "07:15", [6, 7])

    def test_the_profile_s_zone_counts_where_none_was_chosen(self, bob: Api) -> None:
        bob.call("PATCH", "/auth/me/profile", {"timezone": "Asia/Tokyo"})
        assert bob.get(self.URL).json()["data"]["timezone"] == "Asia/Tokyo"
        bob.call("PUT", self.URL, {"timezone": "Europe/Berlin"})
        assert bob.get(self.URL).json()["data"]["timezone"] == "Europe/Berlin"
        bob.call("PUT", self.URL, {"timezone": None})
        assert bob.get(self.URL).json()["data"]["timezone"] == "Asia/Tokyo"

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"startTime": "24:00"}, "validation_failed"),
            ({"startTime": "7:5"}, "validation_failed"),
            ({"startTime": "07:05:00"}, "validation_failed"),
            ({"timezone": "+02:00"}, "validation_failed"),
            ({"timezone": "Mars/Base"}, "validation_failed"),
            ({"days": [0]}, "validation_failed"),
            ({"enabled": "yes"}, "validation_failed"),
            ({"snoozeUntil": "2020-01-01T00:00:00Z"}, "validation_failed"),
            ({"startTime": "08:00"}, "empty_window"),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, bob: Api, body: dict[str, Any], code: str) -> None:
        assert error(bob.call("PUT", self.URL, body)) == (400, code)
        assert bob.get(self.URL).json()["data"]["enabled"] is False


class TestRaising:
    URL = "/notifications/send"
    BODY = {"eventKey": LEAD, "userIds": [1], "data": {"leadName": "X"}}

    def test_a_key_with_the_permission_may_and_one_without_may_not(self, alice: Api, bob: Api) -> None:
        for permissions, status in (([30], 202), ([1], 403)):
            made = alice.post("/api-keys", {"name": "CRM", "permissions": permissions}).json()["data"]
            answer = Api(token=made["key"]).post(self.URL, {**self.BODY, "userIds": [bob.user.id]})
            assert answer.status_code == status
        assert error(bob.post(self.URL, self.BODY)) == (403, "permission_denied")

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"eventKey": "no.such_event"}, (400, "unknown_event")),
            ({"eventKey": "auth.password_changed"}, (409, "event_not_raisable")),
            ({"data": {"leadName": "X", "secret": 1}}, (400, "unknown_variable")),
            ({"userIds": [999999]}, (400, "unknown_recipient")),
            ({"userIds": []}, (400, "validation_failed")),
            ({"userIds": ["x"]}, (400, "validation_failed")),
            ({"userIds": [True]}, (400, "validation_failed")),
            ({"data": []}, (400, "validation_failed")),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, alice: Api, change: dict[str, Any], expected: Any) -> None:
        assert error(alice.post(self.URL, {**self.BODY, **change})) == expected
        assert alice.get("/notifications/unread-count").json()["data"]["count"] == 0

    def test_people_of_another_tenant_are_nobody(self, alice: Api, mallory: Api) -> None:
        body = {**self.BODY, "userIds": [str(mallory.user.uuid)]}
        assert error(alice.post(self.URL, body)) == (400, "unknown_recipient")
        assert mallory.get("/notifications").json()["data"] == []

    def test_a_template_in_a_value_stays_a_text(self, alice: Api) -> None:
        body = {**self.BODY, "userIds": [alice.user.id], "data": {"leadName": "{{ leadId }}{% if %}\r\nBcc: x@y.z"}}
        assert alice.post(self.URL, body).status_code == 202
        (one,) = alice.get("/notifications").json()["data"]
        assert one["title"] == "New lead: {{ leadId }}{% if %} Bcc: x@y.z"
