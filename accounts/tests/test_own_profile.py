"""``/auth/me/profile``."""

from typing import Any
from unittest.mock import ANY

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import RequestFactory
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart
from django.test.utils import CaptureQueriesContext

from accounts.models import Avatar, User
from accounts.tests.pictures import picture
from platform_site.api.body_limits import body_limit
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from tenancy.models import Tenant
from tests.support import Api

EMPTY = {
    "firstName": "Bob",
    "lastName": "",
    "phone": None,
    "avatarUrl": None,
    "timezone": None,
    "locale": None,
}
PATH = "/auth/me/profile"


def form(client: Api, method: str = "PATCH", **parts: Any) -> Any:
    return client.call(method, PATH, encode_multipart(BOUNDARY, parts), content_type=MULTIPART_CONTENT)


def file(content: bytes = b"", name: str = "me.png", kind: str = "image/png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content or picture(), content_type=kind)


def changes(tenant: Tenant) -> list[Any]:
    with bind(tenant.ref):
        entries = JournalEntry.objects.filter(key="accounts.own_profile_updated").order_by("id")
        return [entry.data for entry in entries]


def test_it_begins_empty(bob: Api) -> None:
    assert bob.get(PATH).json()["data"] == EMPTY


def test_nobody_is_asked_to_sign_in(api: Api) -> None:
    for method in ("GET", "PATCH", "PUT"):
        response = api.call(method, PATH, {"phone": "+491701234567"})
        assert (response.status_code, response.json()["error"]["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
def test_what_is_named_changes_and_the_rest_stays(bob: Api, tenant: Tenant, method: str) -> None:
    first = bob.call(method, PATH, {"phone": "+491701234567", "timezone": "Europe/Berlin", "locale": "de-AT"})
    assert first.status_code == 200
    second = bob.call(method, PATH, {"firstName": "Robert", "lastName": "Müller", "phone": None})
    expected = {
        "firstName": "Robert",
        "lastName": "Müller",
        "phone": None,
        "avatarUrl": None,
        "timezone": "Europe/Berlin",
        "locale": "de-AT",
    }
    assert second.json()["data"] == expected
    assert bob.get(PATH).json()["data"] == expected
    assert changes(tenant) == [
        {"changed": ["phone", "timezone", "locale"]},
        {"changed": ["firstName", "lastName", "phone"]},
    ]


def test_it_is_seen_at_once(bob: Api) -> None:
    bob.call("PATCH", PATH, {"firstName": "Robert", "timezone": "Asia/Tokyo", "locale": "ja"})
    me = bob.get("/auth/me").json()["data"]
    assert (me["firstName"], me["displayName"], me["timezone"], me["locale"]) == (
        "Robert",
        "Robert",
        "Asia/Tokyo",
        "ja",
    )


def test_what_was_read_can_be_sent_back_whole(bob: Api, tenant: Tenant) -> None:
    form(bob, avatar=file())
    whole = bob.get(PATH).json()["data"]
    assert bob.call("PUT", PATH, whole).json()["data"] == whole
    assert changes(tenant) == [{"changed": ["avatarUrl"]}]


def test_nothing_changed_is_nothing_to_tell(bob: Api, tenant: Tenant) -> None:
    assert bob.call("PATCH", PATH, {}).json()["data"] == EMPTY
    assert bob.call("PATCH", PATH, {"firstName": "Bob", "phone": None}).status_code == 200
    assert changes(tenant) == []


def test_the_journal_holds_no_values_and_names_who(bob: Api, tenant: Tenant) -> None:
    bob.call("PATCH", PATH, {"phone": "+491701234567", "firstName": "Robert"})
    with bind(tenant.ref):
        entry = JournalEntry.objects.get(key="accounts.own_profile_updated")
    assert (entry.subject_type, entry.subject_id, entry.actor_id) == ("user", str(bob.user.uuid), bob.user.uuid)
    assert "49170" not in str(entry.data)
    assert "Robert" not in str(entry.data)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("phone", "01701234567"),
        ("phone", "+49 170 1234567"),
        ("phone", "+49-170-1234567"),
        ("phone", "+0123456789"),
        ("phone", "+49170"),
        ("phone", "+4917012345678901"),
        ("phone", "+٤٩١٧٠١٢٣٤٥٦٧"),
        ("phone", 491701234567),
        ("timezone", "Berlin"),
        ("timezone", "europe/berlin"),
        ("timezone", "localtime"),
        ("timezone", "Factory"),
        ("timezone", "posix/Europe/Berlin"),
        ("timezone", "../../etc/passwd"),
        ("timezone", "UTC+2"),
        ("locale", "german"),
        ("locale", "de_AT"),
        ("locale", "DE"),
        ("locale", "de-AT; drop"),
        ("firstName", "x" * 101),
        ("lastName", None),
        ("lastName", "a\u0000b"),
        ("avatarUrl", "https://evil.example/me.png"),
        ("avatarUrl", "javascript:alert(1)"),
        ("avatar", "me.png"),
        ("role", "tenant_admin"),
        ("email", "other@acme.test"),
        ("status", "active"),
        ("profileId", 1),
    ],
)
def test_what_is_wrong_is_refused_by_its_name(bob: Api, tenant: Tenant, field: str, value: object) -> None:
    response = bob.call("PATCH", PATH, {"locale": "de", field: value} if field != "locale" else {field: value})
    error = response.json()["error"]
    assert response.status_code == 400
    if error["code"] != "malformed_json":
        assert (error["code"], [detail["field"] for detail in error["details"]]) == ("validation_failed", [field])
    assert bob.get(PATH).json()["data"] == EMPTY
    assert changes(tenant) == []


def test_a_refused_number_says_how_it_is_written(bob: Api) -> None:
    error = bob.call("PATCH", PATH, {"phone": "+49 170"}).json()["error"]
    assert "without spaces or dashes" in error["details"][0]["message"]


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"5"])
def test_a_body_is_an_object(bob: Api, body: bytes) -> None:
    assert bob.call("PATCH", PATH, body).status_code == 400


def test_a_form_says_the_same(bob: Api) -> None:
    response = form(bob, firstName="Robert", phone="+491701234567", avatar=file())
    assert response.json()["data"] == EMPTY | {"firstName": "Robert", "phone": "+491701234567", "avatarUrl": ANY}
    cleared = form(bob, "PUT", phone="", avatarUrl="")
    assert cleared.json()["data"] == EMPTY | {"firstName": "Robert"}


def test_null_takes_the_picture_away(bob: Api, tenant: Tenant) -> None:
    address = form(bob, avatar=file()).json()["data"]["avatarUrl"]
    assert bob.get("/auth/me").json()["data"]["avatarUrl"] == address
    assert bob.call("PATCH", PATH, {"avatarUrl": None}).json()["data"]["avatarUrl"] is None
    assert bob.get("/auth/me").json()["data"]["avatarUrl"] is None
    with bind(tenant.ref):
        assert not Avatar.objects.exists()
    assert changes(tenant) == [{"changed": ["avatarUrl"]}] * 2


@pytest.mark.parametrize(
    "parts",
    [
        {"picture": file()},
        {"avatar": file(), "other": file()},
        {"avatar": file(), "role": "tenant_admin"},
        {"phone": file()},
        {"avatar": "no file"},
        {"avatar": file(), "avatarUrl": ""},
        {"phone": ["+491701234567", "+491701234568"]},
        {"avatar": [file(), file()]},
    ],
)
def test_a_form_is_read_strictly(bob: Api, parts: dict[str, Any]) -> None:
    response = form(bob, **parts)
    assert response.status_code == 400
    assert response.json()["error"]["code"] in {"validation_failed", "malformed_request"}
    assert bob.get(PATH).json()["data"] == EMPTY


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("multipart/form-data", b"--x\r\n", 400),
        ("multipart/form-data; boundary=", b"--x\r\n", 400),
        ("multipart/form-data; boundary=" + "x" * 300, b"--x\r\n", 415),
        (
            MULTIPART_CONTENT,
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="firstName"\r\n\r\n'.encode()
            + b"\xff\xfe"
            + f"\r\n--{BOUNDARY}--\r\n".encode(),
            400,
        ),
        (MULTIPART_CONTENT, b"".join(b"--%s\r\n" % BOUNDARY.encode() for _ in range(5000)), 400),
        ("application/x-www-form-urlencoded", b"firstName=Robert", 415),
        ("image/png", b"\x89PNG", 415),
        ("text/plain", b"{}", 415),
    ],
)
def test_other_bodies(bob: Api, content_type: str, body: bytes, status: int) -> None:
    assert bob.call("PATCH", PATH, body, content_type=content_type).status_code == status
    assert bob.get(PATH).json()["data"] == EMPTY


def test_a_form_of_a_thousand_parts_is_refused(bob: Api) -> None:
    texts: dict[str, Any] = {f"p{number}": "x" for number in range(1500)}
    many = form(bob, **texts)
    assert (many.status_code, many.json()["error"]["code"]) == (400, "malformed_request")
    parts: dict[str, Any] = {f"p{number}": file(b"x") for number in range(150)}
    files = form(bob, **parts)
    assert (files.status_code, files.json()["error"]["code"]) == (400, "malformed_request")


def test_forms_are_taken_nowhere_else(bob: Api, api: Api) -> None:
    body = encode_multipart(BOUNDARY, {"email": "a@b.test"})
    response = api.call("POST", "/auth/login", body, content_type=MULTIPART_CONTENT)
    assert response.status_code == 415


def test_only_this_path_and_only_a_form_may_be_larger() -> None:
    usual, larger = 1024 * 1024, 2 * 1024 * 1024 + 64 * 1024
    path = "/api/v1/auth/me/profile"
    assert body_limit(path, "multipart/form-data; boundary=x") == larger
    assert body_limit(path + "/", "Multipart/Form-Data;boundary=x") == larger
    assert body_limit(path, "application/json") == usual
    assert body_limit(path, "") == usual
    assert body_limit("/api/v1/auth/me/preferences", "multipart/form-data; boundary=x") == usual
    assert body_limit(path, "multipart/form-data", usual=10) == larger
    assert RequestFactory().post(path, {"a": "b"}).content_type == "multipart/form-data"


def test_a_large_json_is_refused_as_everywhere(bob: Api) -> None:
    response = bob.call("PATCH", PATH, b'{"firstName": "' + b"x" * 1_100_000 + b'"}')
    assert (response.status_code, response.json()["error"]["code"]) == (413, "payload_too_large")


def test_somebody_elses_stays_as_it_is(alice: Api, bob: Api, mallory: Api) -> None:
    before = [client.get(PATH).json()["data"] for client in (alice, mallory)]
    bob.call("PATCH", PATH, {"firstName": "Robert", "phone": "+491701234567"})
    assert [client.get(PATH).json()["data"] for client in (alice, mallory)] == before


def test_reading_costs_one_query(bob: Api) -> None:
    bob.get(PATH)
    with CaptureQueriesContext(connection) as queries:
        bob.get(PATH)
    assert len([query for query in queries if not query["sql"].startswith("SET search_path")]) == 1


def test_who_was_deactivated_a_moment_ago_changes_nothing(bob: Api, tenant: Tenant) -> None:
    bob.get(PATH)
    with bind(tenant.ref):
        # Behind the session record's back, as a request that was under way sees it.
        User.objects.filter(pk=bob.user.pk).update(status=User.Status.INACTIVE)
    response = bob.call("PATCH", PATH, {"firstName": "Robert"})
    assert response.status_code in (401, 404)
