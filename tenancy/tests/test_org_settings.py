"""``/org-settings``: what a tenant may decide for itself."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import catalog as accounts_catalog
from accounts.models import SecondFactor, User
from accounts.roles import Role
from accounts.services.people import user_create
from accounts.tests.second_factors import enrolled
from platform_site.api.identity import Identity
from platform_site.binding import bind
from platform_site.errors import PlatformError
from platform_site.journal.models import JournalEntry
from platform_site.outbox import dispatcher
from tenancy.models import Tenant
from tenancy.org_settings import catalog
from tenancy.org_settings.models import OrgSetting
from tenancy.org_settings.registry import OrgSettingDefinition, org_setting, org_settings
from tenancy.org_settings.selectors import setting_value
from tenancy.org_settings.services import setting_change
from tenancy.org_settings.values import as_json, checked
from tests.support import Api, at_once, scaled, signed_in

HIDDEN = "sk-live-hunter2"


def change(client: Api, key: str, value: Any, method: str = "PUT") -> Any:
    return client.call(method, f"/org-settings/{key}", {"value": value})


def value_of(client: Api, key: str) -> Any:
    return client.get(f"/org-settings/{key}").json()["data"]["value"]


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def told(tenant: Tenant) -> list[dict[str, Any]]:
    """What the journal says about changed settings, oldest first."""
    with bind(tenant.ref):
        entries = JournalEntry.objects.filter(key="tenancy.org_setting_changed").order_by("id")
        return list(entries.values_list("data", flat=True))


def identity(client: Api, **changes: Any) -> Identity:
    user = client.user
    found = Identity(
        tenant=client.tenant.ref,
        session_id=user.uuid,
        user_id=user.id,
        user_uuid=user.uuid,
        role=user.role,
        profile_id=user.profile_id,
        permissions=frozenset({"org_settings.view", "org_settings.manage"}),
        email_verified=True,
    )
    return replace(found, **changes)


@pytest.fixture
def defined() -> Iterator[Callable[..., OrgSettingDefinition]]:
    """Declares settings for the test's duration."""
    before = dict(org_settings._entries)

    def define(key: str, kind: Any = "text", **details: Any) -> OrgSettingDefinition:
        return org_setting(OrgSettingDefinition(key, key, kind, **{"default": lambda: None, **details}))

    yield define
    org_settings._entries.clear()
    org_settings._entries.update(before)


@pytest.fixture
def secret(defined: Callable[..., OrgSettingDefinition]) -> OrgSettingDefinition:
    return defined("test.provider_credential", secret=True, max_length=30)


@pytest.fixture
def manager(tenant: Tenant) -> Api:
    with bind(tenant.ref):
        user_create(email="manager@acme.test", first_name="Mia", role=Role.MANAGER, status=User.Status.ACTIVE)
    return signed_in(tenant, "manager@acme.test")


class TestRegistry:
    @pytest.mark.parametrize("definition", list(org_settings), ids=lambda item: item.key)
    def test_every_default_passes_its_own_check(self, definition: OrgSettingDefinition) -> None:
        default = as_json(definition.default())
        # No value: nothing to check. A required one has none at all.
        assert default is None or checked(definition, default) == default
        assert not definition.required or default is None

    @pytest.mark.parametrize("definition", list(org_settings), ids=lambda item: item.key)
    def test_every_setting_has_a_label_and_a_key_that_fits_a_path(self, definition: OrgSettingDefinition) -> None:
        assert definition.label[0].isupper()
        assert re.fullmatch(r"[a-z0-9._-]{1,80}", definition.key)
        assert definition.category != "by-category"

    @pytest.mark.parametrize(
        "details",
        [
            {"key": "by-category.x"},
            {"key": "single"},
            {"key": "Upper.case"},
            {"key": "a b.c"},
            {"key": "a/b.c"},
            {"key": "a..b"},
            {"key": f"a.{'b' * 79}"},
            {"key": "a.b", "label": " "},
            {"key": "a.b", "kind": "number"},
            {"key": "a.b", "kind": "choice"},
            {"key": "a.b", "choices": ("x",)},
            {"key": "a.b", "read_role": "owner"},
            {"key": "a.b", "kind": "map", "secret": True},
            {"key": "a.b", "secret": True, "tenant_field": "name"},
        ],
    )
    def test_what_could_not_work_cannot_be_declared(self, details: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="cannot be a setting"):
            org_setting(OrgSettingDefinition(**{"label": "Test", "kind": "text", "default": lambda: None, **details}))

    def test_columns_of_the_tenants_row_exist(self) -> None:
        names = {field.name for field in Tenant._meta.fields}
        assert {item.tenant_field for item in org_settings if item.tenant_field} <= names


class TestReading:
    def test_an_administrator_sees_them_all(self, alice: Api) -> None:
        data = alice.get("/org-settings").json()["data"]
        assert list(data) == [item.key for item in org_settings]
        assert data["company.name"] == "Acme Corp"
        assert data["company.colors"] == {}
        assert data["security.password_min_length"] == 8
        assert data["retention.audit_days"] == 365
        assert data["support.message_access_until"] is None

    def test_others_see_what_their_role_may(self, bob: Api) -> None:
        data = bob.get("/org-settings").json()["data"]
        assert "company.name" in data
        assert "retention.audit_days" not in data

    def test_a_category_is_the_part_before_the_dot(self, alice: Api) -> None:
        everything = alice.get("/org-settings").json()["data"]
        company = alice.get("/org-settings/by-category/company").json()["data"]
        assert company == {key: value for key, value in everything.items() if key.startswith("company.")}

    @pytest.mark.parametrize("category", ["nothing", "Company", "company.name", "%00", "by-category"])
    def test_an_unknown_category_is_not_found(self, alice: Api, category: str) -> None:
        assert refusal(alice.get(f"/org-settings/by-category/{category}")) == (404, "unknown_category")

    def test_a_category_of_which_one_may_see_nothing_is_unknown(self, alice: Api, bob: Api) -> None:
        assert alice.get("/org-settings/by-category/retention").status_code == 200
        assert refusal(bob.get("/org-settings/by-category/retention")) == (404, "unknown_category")

    def test_one_setting_says_what_it_takes(self, alice: Api, bob: Api) -> None:
        expected = {
            "key": "company.date_format",
            "category": "company",
            "label": "Date format",
            "type": "choice",
            "value": "yyyy-MM-dd",
            "default": "yyyy-MM-dd",
            "isDefault": True,
            "secret": False,
            "writable": True,
            "choices": list(catalog.DATE_FORMATS),
        }
        assert alice.get("/org-settings/company.date_format").json()["data"] == expected
        assert bob.get("/org-settings/company.date_format").json()["data"] == {**expected, "writable": False}

    @pytest.mark.parametrize("key", ["company.nothing", "company", "by-category", "COMPANY.NAME", "company.name%00"])
    def test_an_unknown_setting_is_not_found(self, alice: Api, key: str) -> None:
        assert refusal(alice.get(f"/org-settings/{key}")) == (404, "unknown_setting")
        assert refusal(change(alice, key, 1)) == (404, "unknown_setting")

    def test_a_setting_that_one_may_not_see_is_unknown(self, bob: Api, manager: Api) -> None:
        for client in (bob, manager):
            assert refusal(client.get("/org-settings/retention.audit_days")) == (404, "unknown_setting")

    def test_nobody_gets_in(self, api: Api) -> None:
        for path in ("", "/by-category/company", "/company.name"):
            assert refusal(api.get(f"/org-settings{path}")) == (401, "not_authenticated")
        assert refusal(change(api, "company.name", "X")) == (401, "not_authenticated")

    def test_the_list_costs_the_same_however_much_was_chosen(
        self, alice: Api, defined: Callable[..., OrgSettingDefinition]
    ) -> None:
        def cost() -> int:
            alice.get("/org-settings")
            with CaptureQueriesContext(connection) as queries:
                assert alice.get("/org-settings").status_code == 200
            return len([query for query in queries if not query["sql"].startswith("SET search_path")])

        few = cost()
        for number in range(100):
            defined(f"test.number-{number}", "whole", secret=False)
        with bind(alice.tenant.ref):
            OrgSetting.objects.bulk_create(OrgSetting(key=f"test.number-{n}", value=n) for n in range(100))
        assert cost() == few == 2
        assert alice.get("/org-settings").json()["data"]["test.number-99"] == 99

    def test_keys_of_a_map_stay_as_they_are(self, alice: Api, defined: Callable[..., OrgSettingDefinition]) -> None:
        defined("test.headers", "map", default=dict)
        headers = {"X_Under_Score": 1, "camelCase": {"snake_case": [1, 2.5, None]}, "": "empty"}
        assert change(alice, "test.headers", headers).json()["data"]["value"] == headers
        assert alice.get("/org-settings").json()["data"]["test.headers"] == headers
        assert told(alice.tenant)[-1]["after"] == headers


class TestChanging:
    @pytest.mark.parametrize("method", ["PUT", "PATCH"])
    def test_a_change_is_shown_and_written_down(self, alice: Api, tenant: Tenant, method: str) -> None:
        response = change(alice, "security.password_min_length", 12, method)
        assert response.status_code == 200
        assert {"value": 12, "default": 8, "isDefault": False}.items() <= response.json()["data"].items()
        assert alice.get("/org-settings").json()["data"]["security.password_min_length"] == 12
        assert told(tenant) == [{"key": "security.password_min_length", "before": 8, "after": 12}]
        with bind(tenant.ref):
            entry = JournalEntry.objects.get(key="tenancy.org_setting_changed")
            assert (entry.subject_type, entry.subject_id) == ("org_setting", "security.password_min_length")
            assert entry.actor_id == alice.user.uuid
            assert setting_value(accounts_catalog.PASSWORD_MIN_LENGTH) == 12

    def test_null_goes_back_to_the_default(self, alice: Api, tenant: Tenant) -> None:
        change(alice, "company.date_format", "dd.MM.yyyy")
        response = change(alice, "company.date_format", None)
        assert {"value": "yyyy-MM-dd", "isDefault": True}.items() <= response.json()["data"].items()
        assert [(item["before"], item["after"]) for item in told(tenant)] == [
            ("yyyy-MM-dd", "dd.MM.yyyy"),
            ("dd.MM.yyyy", "yyyy-MM-dd"),
        ]
        with bind(tenant.ref):
            assert not OrgSetting.objects.exists()

    def test_the_same_again_is_no_fact(self, alice: Api, tenant: Tenant) -> None:
        for _ in range(2):
            assert change(alice, "company.date_format", "dd.MM.yyyy").status_code == 200
        change(alice, "company.locale", None)
        assert len(told(tenant)) == 1

    def test_a_choice_of_the_default_is_a_choice(self, alice: Api) -> None:
        data = change(alice, "company.date_format", "yyyy-MM-dd").json()["data"]
        assert data["isDefault"] is False

    def test_the_name_cannot_be_taken_away(self, alice: Api, tenant: Tenant) -> None:
        assert refusal(change(alice, "company.name", None)) == (400, "setting_value_invalid")
        assert refusal(change(alice, "company.name", "  ")) == (400, "setting_value_invalid")
        assert value_of(alice, "company.name") == "Acme Corp"
        assert told(tenant) == []

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("company.name", 1),
            ("company.name", ["Acme"]),
            ("company.colors", "#000000"),
            ("company.colors", [1]),
            ("company.date_format", 1),
            ("security.password_min_length", "12"),
            ("security.password_min_length", True),
            ("security.password_min_length", 12.5),
            ("security.password_min_length", {}),
            ("security.mfa_required", 0),
            ("security.mfa_required", "true"),
            ("support.message_access_until", 1735689600),
            ("support.message_access_until", True),
        ],
    )
    def test_another_kind_of_value_is_refused(self, alice: Api, key: str, value: Any) -> None:
        before = value_of(alice, key)
        response = change(alice, key, value)
        assert refusal(response) == (400, "setting_type_invalid")
        assert response.json()["error"]["details"][0]["field"] == "value"
        assert value_of(alice, key) == before

    @pytest.mark.parametrize(
        ("key", "value", "sentence"),
        [
            ("company.name", "x" * 101, "This has more than 100 characters."),
            ("company.name", "Ac\nme", "Control characters are not allowed."),
            ("company.timezone", "Mars/Olympus", "This is no time zone of the IANA list, such as Europe/Berlin."),
            ("company.timezone", "../etc/passwd", "This is no time zone of the IANA list, such as Europe/Berlin."),
            ("company.locale", "german", "This is no language tag such as en, de-AT or zh-Hant-TW."),
            ("company.logo_url", "http://acme.test/x.png", "This must be an address that begins with https://."),
            ("company.logo_url", "javascript:alert(1)", "This must be an address that begins with https://."),
            ("company.logo_url", "https://u:p@acme.test/", "This must be an address that begins with https://."),
            ("company.logo_url", "https://[acme/", "This must be an address that begins with https://."),
            ("company.logo_url", "https://acme.test:99999/", "This must be an address that begins with https://."),
            ("company.logo_url", "https://acme.test/'x", "This must be an address that begins with https://."),
            ("company.logo_url", f"https://acme.test/{'x' * 500}", "This has more than 500 characters."),
            (
                "company.colors",
                {"primary": "red"},
                "Give colours like #0f766e under primary, accent, background, text.",
            ),
            ("company.colors", {"primary": 1}, "Give colours like #0f766e under primary, accent, background, text."),
            ("company.colors", {"x": "#000000"}, "Give colours like #0f766e under primary, accent, background, text."),
            ("company.colors", {"x": "y" * 17000}, "This is larger than 16384 bytes of JSON."),
            ("seats.when_full", "explode", "This must be one of: refuse; exceed."),
            ("security.password_min_length", 7, "This must be at least 8."),
            ("security.password_min_length", 65, "This must be at most 64."),
            ("security.password_min_length", 2**62, "This must be at most 64."),
            ("retention.audit_days", 29, "This must be at least 30."),
            ("support.message_access_until", "tomorrow", "This must be a time like 2025-01-31T12:00:00Z."),
            ("support.message_access_until", "2025-01-31T12:00:00", "This time needs an offset from UTC."),
            (
                "support.message_access_until",
                "0001-01-01T00:00:00+14:00",
                "This must be a time like 2025-01-31T12:00:00Z.",
            ),
        ],
    )
    def test_a_wrong_value_is_refused_with_a_sentence(self, alice: Api, key: str, value: Any, sentence: str) -> None:
        response = change(alice, key, value)
        assert refusal(response) == (400, "setting_value_invalid")
        assert response.json()["error"]["details"] == [
            {"field": "value", "code": "setting_value_invalid", "message": sentence}
        ]

    @pytest.mark.parametrize("body", [{}, {"value": 1, "more": 2}, [], {"Value": 1}])
    def test_the_body_is_one_value(self, alice: Api, body: Any) -> None:
        response = alice.call("PUT", "/org-settings/company.name", body)
        assert refusal(response) == (400, "validation_failed")

    def test_a_moment_is_kept_in_utc(self, alice: Api, tenant: Tenant) -> None:
        moment = (datetime.now(UTC) + timedelta(days=1)).replace(microsecond=500_000)
        there = moment.astimezone(timezone(timedelta(hours=2)))
        response = change(alice, "support.message_access_until", there.isoformat())
        kept = f"{moment:%Y-%m-%dT%H:%M:%S}.500Z"
        assert response.json()["data"]["value"] == kept
        with bind(tenant.ref):
            assert setting_value(accounts_catalog.MESSAGE_ACCESS_UNTIL) == moment
        assert told(tenant)[-1]["after"] == kept

    def test_what_was_chosen_of_a_setting_that_is_no_more_does_no_harm(self, alice: Api, tenant: Tenant) -> None:
        with bind(tenant.ref):
            OrgSetting.objects.create(key="support.staff_access_until", value="2030-01-31T10:00:00.000Z")
        assert "support.staff_access_until" not in alice.get("/org-settings").json()["data"]
        assert value_of(alice, "support.impersonation") is True
        for response in (
            alice.get("/org-settings/support.staff_access_until"),
            change(alice, "support.staff_access_until", None),
        ):
            assert refusal(response) == (404, "unknown_setting")
        assert change(alice, "support.impersonation", False).status_code == 200

    def test_whole_numbers_may_be_written_with_a_point(self, alice: Api) -> None:
        assert change(alice, "retention.audit_days", 90.0).json()["data"]["value"] == 90

    def test_people_without_the_permission_change_nothing(self, bob: Api, manager: Api, tenant: Tenant) -> None:
        for client in (bob, manager):
            assert refusal(change(client, "company.date_format", "dd.MM.yyyy")) == (403, "permission_denied")
        assert told(tenant) == []

    def test_the_role_has_to_be_high_enough_as_well(self, manager: Api, tenant: Tenant) -> None:
        with bind(tenant.ref), pytest.raises(PlatformError) as refused:
            setting_change(key="company.date_format", value="dd.MM.yyyy", actor=identity(manager))
        assert refused.value.code.key == "setting_read_only"

    def test_a_key_that_was_made_for_it_may_change_settings(self, manager: Api, tenant: Tenant) -> None:
        robot = identity(manager, is_person=False, user_id=0)
        with bind(tenant.ref):
            assert setting_change(key="company.locale", value="de", actor=robot).value == "de"

    def test_other_tenants_see_nothing_of_it(self, alice: Api, mallory: Api) -> None:
        change(alice, "company.date_format", "dd.MM.yyyy")
        change(alice, "company.name", "Acme Limited")
        assert value_of(mallory, "company.date_format") == "yyyy-MM-dd"
        assert value_of(mallory, "company.name") == "Globex Corp"
        assert told(mallory.tenant) == []

    def test_bounds_that_the_platform_moved_count_at_once(self, alice: Api, tenant: Tenant, settings: Any) -> None:
        change(alice, "security.password_min_length", 10)
        settings.PASSWORD_MIN_LENGTH = 14
        with bind(tenant.ref):
            assert setting_value(accounts_catalog.PASSWORD_MIN_LENGTH) == 14
        assert refusal(change(alice, "security.password_min_length", 13)) == (400, "setting_value_invalid")

    def test_a_choice_that_is_gone_is_the_default(self, alice: Api, tenant: Tenant) -> None:
        with bind(tenant.ref):
            OrgSetting.objects.create(key="company.date_format", value="yy/M/d")
        assert value_of(alice, "company.date_format") == "yyyy-MM-dd"


class TestTheTenantsRow:
    def test_what_is_shown_before_anybody_signs_in(self, alice: Api, api: Api) -> None:
        for key, value in {
            "company.name": " Acme Limited ",
            "company.logo_url": "https://cdn.acme.test/logo.svg",
            "company.colors": {"primary": "#0F766E"},
            "company.timezone": "Europe/Berlin",
            "company.locale": "de-DE",
        }.items():
            assert change(alice, key, value).status_code == 200, key
        page = api.get("/tenants/by-slug/acme").json()["data"]
        assert page["name"] == "Acme Limited"
        assert page["logoUrl"] == "https://cdn.acme.test/logo.svg"
        assert page["colors"] == {"primary": "#0f766e"}
        me = alice.get("/tenants/me").json()["data"]
        assert [me[name] for name in ("name", "logoUrl", "timezone", "locale")] == [
            "Acme Limited",
            "https://cdn.acme.test/logo.svg",
            "Europe/Berlin",
            "de-DE",
        ]
        assert told(alice.tenant)[0] == {"key": "company.name", "before": "Acme Corp", "after": "Acme Limited"}

    def test_null_gives_the_row_its_default_again(self, alice: Api, api: Api) -> None:
        for key, value in {"company.logo_url": "https://x.test/", "company.timezone": "Asia/Tokyo"}.items():
            change(alice, key, value)
            data = change(alice, key, None).json()["data"]
            assert data["isDefault"] is True
        assert api.get("/tenants/by-slug/acme").json()["data"]["logoUrl"] is None
        assert alice.get("/tenants/me").json()["data"]["timezone"] == "UTC"


class TestSecrets:
    @pytest.fixture(autouse=True)
    def _declared(self, secret: OrgSettingDefinition) -> None:
        pass

    def test_it_is_taken_and_never_shown(self, alice: Api, tenant: Tenant, capfd: pytest.CaptureFixture[str]) -> None:
        path = "/org-settings/test.provider_credential"
        assert alice.get(path).json()["data"]["value"] == {"set": False}
        answers = [change(alice, "test.provider_credential", HIDDEN)]
        answers += [alice.get(there) for there in (path, "/org-settings", "/org-settings/by-category/test")]
        answers += [alice.get("/audit")]
        for answer in answers:
            assert answer.status_code == 200
            assert HIDDEN not in answer.content.decode()
        assert answers[1].json()["data"]["value"] == {"set": True}
        assert answers[2].json()["data"]["test.provider_credential"] == {"set": True}
        assert HIDDEN not in "".join(capfd.readouterr())

    def test_it_is_stored_sealed_for_this_tenant(
        self, alice: Api, tenant: Tenant, mallory: Api, secret: OrgSettingDefinition
    ) -> None:
        change(alice, secret.key, HIDDEN)
        with bind(tenant.ref):
            row = OrgSetting.objects.get()
            assert row.value is None
            assert HIDDEN.encode() not in bytes(row.sealed or b"")
            assert setting_value(secret) == HIDDEN
        with bind(mallory.tenant.ref):
            assert setting_value(secret) is None
            OrgSetting.objects.create(key=secret.key, sealed=row.sealed)
            with pytest.raises(ValueError, match="org_setting:"):
                setting_value(secret)

    def test_the_journal_says_only_that_there_is_one(self, alice: Api, tenant: Tenant) -> None:
        for value in (HIDDEN, "another", None, None):
            change(alice, "test.provider_credential", value)
        assert [(item["before"], item["after"]) for item in told(tenant)] == [
            (None, "***"),
            ("***", "***"),
            ("***", None),
        ]

    @pytest.mark.parametrize("value", [f"{HIDDEN}\n", f"{HIDDEN}{'x' * 30}", [HIDDEN]])
    def test_a_refusal_does_not_repeat_it(self, alice: Api, value: Any) -> None:
        response = change(alice, "test.provider_credential", value)
        assert response.status_code == 400
        assert HIDDEN not in response.content.decode()

    def test_not_even_when_a_validator_would(self, alice: Api, defined: Callable[..., OrgSettingDefinition]) -> None:
        defined("test.pin", secret=True, validate=lambda value: str(int(value)))
        response = change(alice, "test.pin", HIDDEN)
        assert refusal(response) == (400, "setting_value_invalid")
        assert HIDDEN not in response.content.decode()


class TestSecondFactorForEverybody:
    def test_nobody_asks_for_what_he_does_not_have(self, alice: Api, tenant: Tenant) -> None:
        assert refusal(change(alice, "security.mfa_required", True)) == (409, "mfa_not_enabled")
        assert value_of(alice, "security.mfa_required") is False
        assert told(tenant) == []

    def test_a_set_up_that_was_only_begun_does_not_count(self, alice: Api, tenant: Tenant) -> None:
        enrolled(alice)
        with bind(tenant.ref):
            SecondFactor.objects.update(confirmed_at=None)
        assert refusal(change(alice, "security.mfa_required", True)) == (409, "mfa_not_enabled")

    def test_whoever_has_one_may_and_the_others_sign_in_anew(self, alice: Api, bob: Api, tenant: Tenant) -> None:
        enrolled(alice)
        assert change(alice, "security.mfa_required", True).status_code == 200
        assert told(tenant) == [{"key": "security.mfa_required", "before": False, "after": True}]
        dispatcher.drain()
        assert alice.get("/auth/me").status_code == 200
        assert refusal(bob.get("/auth/me")) == (401, "session_revoked")

    def test_switching_it_off_takes_none(self, alice: Api, tenant: Tenant) -> None:
        with bind(tenant.ref):
            OrgSetting.objects.create(key="security.mfa_required", value=True)
        assert change(alice, "security.mfa_required", True).status_code == 200
        assert change(alice, "security.mfa_required", False).status_code == 200
        assert told(tenant) == [{"key": "security.mfa_required", "before": True, "after": False}]

    def test_a_key_cannot_ask_for_it(self, alice: Api, tenant: Tenant) -> None:
        enrolled(alice)
        robot = identity(alice, is_person=False, user_id=0)
        with bind(tenant.ref), pytest.raises(PlatformError) as refused:
            setting_change(key="security.mfa_required", value=True, actor=robot)
        assert refused.value.code.key == "mfa_not_enabled"


@pytest.mark.commits
@pytest.mark.parametrize("key", ["retention.audit_days", "company.name"])
def test_changes_at_once_leave_a_chain_without_gaps(alice: Api, tenant: Tenant, key: str) -> None:
    count = scaled(6, 40)
    who = identity(alice)
    values = [f"Acme {number}" if key == "company.name" else 100 + number for number in range(count)]
    before = value_of(alice, key)

    def work(number: int) -> None:
        with bind(tenant.ref):
            setting_change(key=key, value=values[number], actor=who)

    ran = at_once(count, work)
    assert ran.most_at_once > 1
    steps = told(tenant)
    assert [step["before"] for step in steps] == [before, *(step["after"] for step in steps[:-1])]
    assert sorted(step["after"] for step in steps) == sorted(values)
    assert steps[-1]["after"] == value_of(alice, key)


@pytest.mark.commits
def test_nobody_takes_off_the_own_second_factor_while_asking_for_everybodys(alice: Api, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "mfa_user": (1000, 900)}
    for _ in range(scaled(4, 40)):
        enrolled(alice)

        def work(number: int) -> int:
            client = Api(token=alice.token)
            if number == 0:
                return int(change(client, "security.mfa_required", True).status_code)
            return int(client.call("DELETE", "/auth/mfa/totp").status_code)

        ran = at_once(2, work)
        assert ran.results in ([200, 409], [409, 200])
        with bind(alice.tenant.ref):
            assert SecondFactor.objects.filter(user_id=alice.user.id).exists() == (ran.results[0] == 200)
            SecondFactor.objects.all().delete()
            OrgSetting.objects.all().delete()
