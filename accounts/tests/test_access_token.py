"""Which access tokens are believed."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.conf import settings

from accounts.access_tokens import access_token
from accounts.services.session_records import SessionRecord, _decode, _encode
from platform_site.session_cache import Slot
from tenancy.models import Tenant
from tests.support import Api


def claims_of(token: str) -> dict[str, Any]:
    decoded: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return decoded


def sign(claims: dict[str, Any], *, key: str = "", kid: str | None = "", algorithm: str = "HS256") -> str:
    own_kid, own_key = settings.JWT_KEYS[0]
    headers = {} if kid is None else {"kid": kid or own_kid}
    return jwt.encode(claims, key or own_key, algorithm=algorithm, headers=headers)


def test_it_carries_ids_and_nothing_else(alice: Api) -> None:
    assert set(claims_of(alice.token)) == {"iss", "aud", "sub", "tid", "sid", "jti", "iat", "exp", "typ"}
    assert claims_of(alice.token)["typ"] == "access"


MUTANTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "no signature": lambda c: jwt.encode(c, "", algorithm="none"),
    "another key": lambda c: sign(c, key="x" * 43),
    "HS512": lambda c: sign(c, algorithm="HS512"),
    "no kid": lambda c: sign(c, kid=None),
    "unknown kid": lambda c: sign(c, kid="nobody"),
    "kid that is a path": lambda c: sign(c, kid="../../dev/null"),
    "another audience": lambda c: sign({**c, "aud": "others"}),
    "another issuer": lambda c: sign({**c, "iss": "others"}),
    "no issuer": lambda c: sign({k: v for k, v in c.items() if k != "iss"}),
    "refresh instead of access": lambda c: sign({**c, "typ": "refresh"}),
    "no type": lambda c: sign({k: v for k, v in c.items() if k != "typ"}),
    "expired": lambda c: sign({**c, "exp": int(time.time()) - 60}),
    "no expiry": lambda c: sign({k: v for k, v in c.items() if k != "exp"}),
    "not yet": lambda c: sign({**c, "nbf": int(time.time()) + 600}),
    "no id": lambda c: sign({k: v for k, v in c.items() if k != "jti"}),
    "tid that is no UUID": lambda c: sign({**c, "tid": "public"}),
    "tid that is a number": lambda c: sign({**c, "tid": 1}),
    "unknown tenant": lambda c: sign({**c, "tid": str(uuid4())}),
    "unknown session": lambda c: sign({**c, "sid": str(uuid4())}),
    "unknown user": lambda c: sign({**c, "sub": str(uuid4())}),
    "no tenant": lambda c: sign({k: v for k, v in c.items() if k != "tid"}),
    "too long": lambda c: sign({**c, "x": "y" * 5000}),
}


# PyJWT warns that the key is short for HS512; nobody signs with that here.
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_is_refused(alice: Api, mutant: str) -> None:
    response = Api(token=MUTANTS[mutant](claims_of(alice.token))).get("/auth/me")
    assert response.status_code == 401, response.json()
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_changed_part_is_refused(alice: Api, part: int) -> None:
    parts = alice.token.split(".")
    parts[part] = base64.urlsafe_b64encode(json.dumps({"alg": "HS256"}).encode()).rstrip(b"=").decode()
    assert Api(token=".".join(parts)).get("/auth/me").status_code == 401


@pytest.mark.parametrize("claim", ["tid", "sid", "sub"])
def test_a_claim_of_another_tenant_is_refused(alice: Api, mallory: Api, claim: str) -> None:
    mixed = {**claims_of(alice.token), claim: claims_of(mallory.token)[claim]}
    assert Api(token=sign(mixed)).get("/auth/me").status_code == 401


def test_a_record_of_another_tenant_under_the_right_key_is_refused(alice: Api, mallory: Api) -> None:
    """Whatever got into the cache: a record counts for the tenant it names only."""
    mine, theirs = claims_of(alice.token), claims_of(mallory.token)
    assert mallory.get("/auth/me").status_code == 200
    foreign = Slot(mallory.tenant.id, uuid4().__class__(theirs["sid"])).read()
    assert foreign is not None
    own = Slot(alice.tenant.id, uuid4().__class__(mine["sid"]))
    assert own.read() is None
    record = _decode(foreign)
    swapped = SessionRecord(
        **{**{f: getattr(record, f) for f in record.__struct_fields__}, "user_uuid": alice.user.uuid}
    )
    own.fill(_encode(swapped))
    response = alice.get("/auth/me")
    assert (response.status_code, response.json()["error"]["code"]) == (401, "tenant_mismatch")


def test_two_keys_verify_and_the_first_signs(alice: Api, tenant: Tenant, settings: Any) -> None:
    settings.JWT_KEYS = [("new", "n" * 43), *settings.JWT_KEYS]
    assert alice.get("/auth/me").status_code == 200
    sid = uuid4().__class__(claims_of(alice.token)["sid"])
    fresh = access_token(tenant_id=tenant.id, session_id=sid, user_uuid=alice.user.uuid)
    assert jwt.get_unverified_header(fresh)["kid"] == "new"
    settings.JWT_KEYS = settings.JWT_KEYS[:1]
    assert Api(token=fresh).get("/auth/me").status_code == 200
    assert alice.get("/auth/me").json()["error"]["code"] == "token_invalid"


@pytest.mark.parametrize("header", ["Basic abc", "Bearer", "Bearer ", "bearer"])
def test_without_a_token_the_answer_is_to_sign_in(api: Api, header: str) -> None:
    response = api.get("/auth/me", Authorization=header)
    assert response.json()["error"]["code"] == "not_authenticated"


def test_a_header_or_host_never_chooses_the_tenant(alice: Api, mallory: Api) -> None:
    plain = alice.get("/auth/me").json()
    for headers in ({"x_tenant": "globex"}, {"x_tenant_id": str(mallory.tenant.id)}, {"host": "globex.example.test"}):
        assert alice.get("/auth/me", **headers).json() == plain
