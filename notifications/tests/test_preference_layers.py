"""The layers of preferences: which of them decides, in the pure rule and in what people get."""

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.models import Preference, TenantPreference
from notifications.selectors import layers
from notifications.services.telling import notify
from notifications.tests.support import LEAD, VALUES, deliveries, raise_lead, told
from notifications.wishes import Policy, wish
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from platform_site.notification_events import NotificationEvent, notification_events
from platform_site.outbox import dispatcher
from tests.support import Api, at_once

PATH = "/notifications/preferences"
DEFAULTS = f"{PATH}/defaults"
KEYS = (LEAD, "sales.*", "*")


def event(*, mandatory: bool = False, on: bool = True) -> NotificationEvent:
    """One with the contract's key."""
    return NotificationEvent(
        key=LEAD,
        label="",
        description="",
        title="",
        body="",
        sample={},
        channels={"email": on},
        mandatory=frozenset({"email"} if mandatory else ()),
    )


def decided(
    *,
    mandatory: bool = False,
    enforced: dict[str, bool | None] | None = None,
    own: dict[str, bool] | None = None,
    default: dict[str, bool | None] | None = None,
    system: bool = True,
) -> tuple[bool, str]:
    """(on, the layer) for e-mail, from what each layer says by key."""

    def rows(layer: Any) -> Any:
        return {(key, "email"): said for key, said in (layer or {}).items()}

    found = wish(event(mandatory=mandatory, on=system), "email", Policy(rows(default), rows(enforced)), rows(own))
    return found.enabled, found.source


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ({}, (True, "system")),
        ({"system": False}, (False, "system")),
        ({"default": {"*": False}}, (False, "tenant")),
        ({"default": {"*": False, LEAD: True}, "system": False}, (True, "tenant")),
        ({"default": {"*": False, LEAD: None}}, (False, "tenant")),
        # A default is for an event or for all of them.
        ({"default": {"sales.*": False}}, (True, "system")),
        ({"own": {"*": True}, "default": {LEAD: False}}, (True, "user")),
        ({"own": {"*": True, "sales.*": False}}, (False, "user")),
        ({"own": {"*": False, "sales.*": False, LEAD: True}}, (True, "user")),
        ({"own": {"auth.*": False, "auth.new_device": False}}, (True, "system")),
        ({"own": {LEAD: True}, "enforced": {"*": False}}, (False, "enforced")),
        ({"own": {LEAD: False}, "enforced": {"*": False, LEAD: True}}, (True, "enforced")),
        ({"own": {LEAD: False}, "enforced": {LEAD: None}}, (False, "user")),
        ({"mandatory": True, "enforced": {LEAD: False, "*": False}, "own": {LEAD: False}}, (True, "mandatory")),
    ],
)
def test_the_most_binding_layer_that_says_anything_decides(layers: dict[str, Any], expected: tuple[bool, str]) -> None:
    assert decided(**layers) == expected


SAID = st.sampled_from([None, True, False])


@given(
    mandatory=st.booleans(),
    enforced=st.tuples(SAID, SAID),
    own=st.tuples(SAID, SAID, SAID),
    default=st.tuples(SAID, SAID),
    system=st.booleans(),
)
def test_it_is_the_first_of_all_layers_in_their_order(
    mandatory: bool, enforced: Any, own: Any, default: Any, system: bool
) -> None:
    in_order: Iterator[tuple[bool | None, str]] = itertools.chain(
        [(True if mandatory else None, "mandatory")],
        ((said, "enforced") for said in enforced),
        ((said, "user") for said in own),
        ((said, "tenant") for said in default),
        [(system, "system")],
    )
    assert decided(
        mandatory=mandatory,
        enforced=dict(zip((LEAD, "*"), enforced, strict=True)),
        own={key: said for key, said in zip(KEYS, own, strict=True) if said is not None},
        default=dict(zip((LEAD, "*"), default, strict=True)),
        system=system,
    ) == next(one for one in in_order if one[0] is not None)


def error(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def default(person: Api, event_key: str = LEAD, channel: str = "email", **change: Any) -> Any:
    answer = person.call("PUT", DEFAULTS, {"eventKey": event_key, "channel": channel, **change})
    assert answer.status_code == 200, answer.content
    return answer.json()["data"]


def choose(person: Api, event_key: str, enabled: bool | None, channel: str = "email") -> Any:
    return person.call("PUT", PATH, {"eventKey": event_key, "channel": channel, "enabled": enabled})


def counts_for(person: Api, event_key: str = LEAD, channel: str = "email") -> dict[str, Any]:
    rows = person.get(PATH).json()["data"]
    return next(row for row in rows if (row["eventKey"], row["channel"]) == (event_key, channel))


def in_catalogue(person: Api, event_key: str = LEAD, channel: str = "email") -> dict[str, Any]:
    modules = person.get(f"{PATH}/catalog").json()["data"]
    found = next(one for module in modules for one in module["events"] if one["eventKey"] == event_key)
    return next(one for one in found["channels"] if one["channel"] == channel)


def statuses(person: Api) -> list[tuple[str, str]]:
    return [(one.status, one.reason) for one in deliveries(person)]


class TestWhatPeopleSee:
    def test_a_company_s_default_counts_for_who_chose_nothing(self, alice: Api, bob: Api) -> None:
        choose(alice, LEAD, True)
        default(alice, defaultEnabled=False)
        row, shown = counts_for(bob), in_catalogue(bob)
        assert (row["enabled"], row["source"], row["locked"], row["isOverridden"]) == (False, "tenant", False, False)
        assert (shown["systemDefault"], shown["tenantDefault"], shown["effective"]) == (True, False, False)
        assert (counts_for(alice)["enabled"], counts_for(alice)["source"]) == (True, "user")

    @pytest.mark.parametrize("enforced", ["on", "off"])
    def test_nobody_can_choose_otherwise_than_a_company_insists_on(self, alice: Api, bob: Api, enforced: str) -> None:
        is_on = enforced == "on"
        assert choose(bob, LEAD, not is_on).status_code == 200
        default(alice, enforced=enforced)
        row, shown = counts_for(bob), in_catalogue(bob)
        assert (row["enabled"], row["source"], row["locked"], row["isOverridden"]) == (is_on, "enforced", True, True)
        assert (shown["enforced"], shown["locked"], shown["userValue"], shown["effective"]) == (
            enforced, True, not is_on, is_on,
        )  # fmt: skip
        assert error(choose(bob, LEAD, not is_on)) == (409, "preference_locked")
        assert choose(bob, LEAD, is_on).json()["data"]["source"] == "enforced"
        # It was no choice, so that with the company's word gone the one from before is there again.
        default(alice, enforced=None)
        assert (counts_for(bob)["enabled"], counts_for(bob)["source"]) == (not is_on, "user")

    def test_another_company_s_wishes_are_its_own(self, alice: Api, mallory: Api) -> None:
        default(alice, "*", enforced="off")
        assert counts_for(mallory)["source"] == "system"

    def test_what_is_mandatory_stays_whatever_a_company_wants_of_everything(self, alice: Api, bob: Api) -> None:
        default(alice, "*", channel="in_app", enforced="off")
        assert counts_for(bob, "auth.password_changed", "in_app")["source"] == "mandatory"
        assert counts_for(bob, LEAD, "in_app")["enabled"] is False


class TestGroups:
    def test_one_choice_is_for_all_events_of_a_module(self, bob: Api) -> None:
        data = choose(bob, "sales.*", False).json()["data"]
        assert (data["eventKey"], data["enabled"], data["source"], data["isOverridden"]) == (
            "sales.*", False, "user", True,
        )  # fmt: skip
        row = counts_for(bob)
        assert (row["enabled"], row["source"], row["isOverridden"], row["updatedAt"]) == (False, "user", False, None)
        assert in_catalogue(bob)["userValue"] is None
        assert counts_for(bob, "sales.*") == data
        assert counts_for(bob, "users.role_changed")["source"] == "system"

    def test_the_more_particular_choice_counts(self, bob: Api) -> None:
        choose(bob, "*", False)
        assert counts_for(bob)["enabled"] is False
        choose(bob, "sales.*", True)
        assert counts_for(bob)["enabled"] is True
        choose(bob, LEAD, False)
        assert counts_for(bob)["enabled"] is False

    def test_null_takes_a_group_back(self, bob: Api) -> None:
        choose(bob, "*", False)
        data = choose(bob, "*", None).json()["data"]
        assert (data["enabled"], data["isOverridden"]) == (True, False)
        assert not [row for row in bob.get(PATH).json()["data"] if "*" in row["eventKey"]]

    @pytest.mark.parametrize(
        ("event_key", "channel", "code"),
        [
            ("nothing.*", "email", "unknown_event"),
            ("sal.*", "email", "unknown_event"),
            ("sales", "email", "unknown_event"),
            ("sales.lead_assigned.*", "email", "unknown_event"),
            ("**", "email", "unknown_event"),
            ("*", "pigeon", "unknown_channel"),
            ("auth.*", "email", "channel_not_supported"),
        ],
    )
    def test_what_is_no_group_is_refused(self, bob: Api, event_key: str, channel: str, code: str) -> None:
        assert error(choose(bob, event_key, False, channel)) == (400, code)

    def test_a_group_in_which_everything_is_locked_is_locked(self, alice: Api, bob: Api) -> None:
        default(alice, "*", enforced="off")
        assert error(choose(bob, "*", True)) == (409, "preference_locked")
        assert choose(bob, "*", False).status_code == 200

    def test_of_a_group_the_rest_follows_where_something_is_locked(self, bob: Api) -> None:
        assert choose(bob, "*", False, "in_app").status_code == 200
        assert counts_for(bob, "auth.password_changed", "in_app")["enabled"] is True
        assert counts_for(bob, LEAD, "in_app")["enabled"] is False


class TestWhatPeopleGet:
    def test_every_layer_counts_when_people_are_told(self, alice: Api, bob: Api) -> None:
        default(alice, "*", defaultEnabled=False)
        choose(alice, "sales.*", True)
        raise_lead(alice, alice, bob)
        assert (statuses(alice), statuses(bob)) == ([("pending", "")], [("suppressed", "preference")])
        assert (len(told(alice)), len(told(bob))) == (1, 1)

    def test_it_counts_again_when_mail_is_sent(self, alice: Api, bob: Api) -> None:
        raise_lead(alice, bob)
        default(alice, enforced="off")
        dispatcher.drain()
        assert statuses(bob) == [("suppressed", "preference")]

    def test_however_many_they_are_the_layers_take_two_queries(
        self, in_tenant: Any, alice: Api, bob: Api, django_assert_num_queries: Any
    ) -> None:
        people = [alice.user.id, bob.user.id]
        for person, key in itertools.product(people, KEYS):
            Preference.objects.create(user_id=person, event_key=key, channel="email", enabled=True)
        TenantPreference.objects.create(event_key="*", channel="email", enforced=False)
        with django_assert_num_queries(2):
            found = layers(user_ids=people, event_key=LEAD)
            wishes = {found.wish(notification_events.get(LEAD), "email", person) for person in people}
        assert {one.source for one in wishes} == {"enforced"}
        assert notify(event=notification_events.get(LEAD), user_ids=people, values=VALUES) == 2
        assert statuses(bob) == [("suppressed", "preference")]


class TestDefaults:
    def test_all_events_and_channels_are_there_and_those_for_everything(self, alice: Api, bob: Api) -> None:
        rows = alice.get(DEFAULTS).json()["data"]
        pairs = [(row["eventKey"], row["channel"]) for row in rows]
        assert pairs[:2] == [("*", "in_app"), ("*", "email")]
        assert pairs[2:] == [(row["eventKey"], row["channel"]) for row in bob.get(PATH).json()["data"]]
        assert {(row["tenantDefault"], row["enforced"], row["updatedAt"]) for row in rows} == {(None, None, None)}
        assert rows[0]["systemDefault"] is None
        mandatory = {row["eventKey"] for row in rows if row["mandatory"]}
        assert "auth.password_changed" in mandatory
        assert LEAD not in mandatory

    @pytest.mark.parametrize("method", ["PUT", "PATCH"])
    def test_what_is_not_named_stays_and_null_takes_it_back(self, alice: Api, method: str) -> None:
        key = {"eventKey": LEAD, "channel": "email"}
        alice.call(method, DEFAULTS, {**key, "defaultEnabled": False})
        data = alice.call(method, DEFAULTS, {**key, "enforced": "on"}).json()["data"]
        assert (data["tenantDefault"], data["enforced"]) == (False, "on")
        data = alice.call(method, DEFAULTS, {**key, "defaultEnabled": None}).json()["data"]
        assert (data["tenantDefault"], data["enforced"]) == (None, "on")
        assert data in alice.get(DEFAULTS).json()["data"]
        data = alice.call(method, DEFAULTS, {**key, "enforced": None}).json()["data"]
        assert (data["enforced"], data["updatedAt"]) == (None, None)
        with bind(alice.tenant.ref):
            assert not TenantPreference.objects.exists()

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ({"eventKey": "no.such_event"}, (400, "unknown_event")),
            ({"eventKey": "sales.*"}, (400, "unknown_event")),
            ({"channel": "pigeon"}, (400, "unknown_channel")),
            ({"eventKey": "auth.password_changed"}, (400, "channel_not_supported")),
            ({"enforced": True}, (400, "validation_failed")),
            ({"enforced": "maybe"}, (400, "validation_failed")),
            ({"defaultEnabled": "no"}, (400, "validation_failed")),
            ({"eventKey": "auth.password_changed", "channel": "in_app", "enforced": "off"}, (409, "preference_locked")),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, alice: Api, change: dict[str, Any], expected: Any) -> None:
        assert error(alice.call("PUT", DEFAULTS, {"eventKey": LEAD, "channel": "email", **change})) == expected

    def test_they_are_for_administrators(self, bob: Api) -> None:
        assert error(bob.get(DEFAULTS)) == (403, "permission_denied")
        assert error(bob.call("PUT", DEFAULTS, {"eventKey": LEAD})) == (403, "permission_denied")

    def test_it_stands_in_the_audit_log(self, alice: Api) -> None:
        default(alice, enforced="off")
        default(alice)
        with bind(alice.tenant.ref):
            (entry,) = JournalEntry.objects.filter(key="notifications.defaults_changed")
        assert entry.data == {"eventKey": LEAD, "channel": "email", "enforced": False}
        assert alice.get("/audit").json()["data"][0]["key"] == "notifications.defaults_changed"

    @pytest.mark.commits
    def test_set_at_once_no_change_is_lost(self, alice: Api) -> None:
        changes: list[dict[str, Any]] = [{"defaultEnabled": False}, {"enforced": "on"}] * 3
        key = {"eventKey": LEAD, "channel": "email"}
        done = at_once(
            6, lambda number: Api(token=alice.token).call("PUT", DEFAULTS, {**key, **changes[number]}).status_code
        )
        assert (done.results, done.most_at_once > 1) == ([200] * 6, True)
        rows = alice.get(DEFAULTS).json()["data"]
        row = next(row for row in rows if (row["eventKey"], row["channel"]) == (LEAD, "email"))
        assert (row["tenantDefault"], row["enforced"]) == (False, "on")
