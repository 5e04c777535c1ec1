"""``POST /auth/logout`` and ``/auth/logout-all``."""

import time

import pytest

from accounts.access_tokens import AccessToken
from tenancy.models import Tenant
from tests.support import COMPANY, Api, signed_in


def test_the_access_token_is_useless_at_once(alice: Api) -> None:
    assert alice.get("/auth/me").status_code == 200
    response = alice.post("/auth/logout")
    assert (response.status_code, response.json()["data"]) == (200, {"revoked": 1})
    assert alice.get("/auth/me").json()["error"]["code"] == "session_revoked"


def test_twice_is_fine(alice: Api) -> None:
    alice.post("/auth/logout")
    assert alice.post("/auth/logout").json()["data"] == {"revoked": 0}


def test_the_refresh_token_is_dead_as_well(alice: Api) -> None:
    alice.post("/auth/logout")
    again = Api().post("/auth/refresh", {"refreshToken": alice.tokens.refresh_token})
    assert again.json()["error"]["code"] == "session_revoked"


def test_other_sessions_go_on(alice: Api, tenant: Tenant) -> None:
    second = signed_in(tenant, f"admin@{COMPANY}.test")
    alice.post("/auth/logout")
    assert second.get("/auth/me").status_code == 200


def expired(alice: Api) -> str:
    token = AccessToken(alice.token)  # type: ignore[arg-type]
    token.payload["exp"] = int(time.time()) - 3600
    return str(token)


def test_an_expired_token_signs_out_with_its_refresh_token(alice: Api) -> None:
    late = Api(token=expired(alice))
    assert late.post("/auth/logout").json()["error"]["code"] == "token_expired"
    assert late.post("/auth/logout", {"refreshToken": alice.tokens.refresh_token}).json()["data"] == {"revoked": 1}
    assert alice.get("/auth/me").status_code == 401


def test_an_expired_token_and_another_sessions_refresh_token_end_nothing(alice: Api, bob: Api) -> None:
    late = Api(token=expired(alice))
    response = late.post("/auth/logout", {"refreshToken": bob.tokens.refresh_token})
    assert response.json()["error"]["code"] == "token_expired"
    assert alice.get("/auth/me").status_code == 200
    assert bob.get("/auth/me").status_code == 200


def test_nobody_cannot_sign_out(api: Api) -> None:
    assert api.post("/auth/logout").json()["error"]["code"] == "not_authenticated"


def test_all_sessions_end(alice: Api, tenant: Tenant) -> None:
    second = signed_in(tenant, f"admin@{COMPANY}.test")
    assert alice.post("/auth/logout-all").json()["data"] == {"revoked": 2}
    assert second.get("/auth/me").status_code == 401
    assert alice.get("/auth/me").status_code == 401


def test_all_but_this_one(alice: Api, tenant: Tenant) -> None:
    second = signed_in(tenant, f"admin@{COMPANY}.test")
    assert alice.post("/auth/logout-all?exceptCurrent=true").json()["data"] == {"revoked": 1}
    assert second.get("/auth/me").status_code == 401
    assert alice.get("/auth/me").status_code == 200


def test_colleagues_stay_signed_in(alice: Api, bob: Api) -> None:
    alice.post("/auth/logout-all")
    assert bob.get("/auth/me").status_code == 200


@pytest.mark.parametrize("query", ["exceptCurrent=1", "exceptcurrent=true", "other=x"])
def test_parameters_are_read_strictly(alice: Api, query: str) -> None:
    assert alice.post(f"/auth/logout-all?{query}").status_code == 400
