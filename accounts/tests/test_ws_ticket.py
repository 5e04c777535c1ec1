"""``POST /auth/ws-ticket``, and what a ticket is worth."""

import pytest

from accounts.access_tokens import verify_access_token
from accounts.services.session_records import identity_of
from accounts.services.ws_tickets import TICKET_SECONDS, ws_ticket_redeem
from platform_site import valkey
from platform_site.errors import PlatformError
from platform_site.keys import fingerprint
from tests.support import Api, at_once


def ticket_of(client: Api) -> str:
    ticket = client.post("/auth/ws-ticket").json()["data"]["ticket"]
    assert isinstance(ticket, str)
    return ticket


def test_it_stands_for_the_session_that_asked(alice: Api) -> None:
    response = alice.post("/auth/ws-ticket")
    assert (response.status_code, response["Cache-Control"]) == (200, "no-store")
    data = response.json()["data"]
    assert data == {"ticket": data["ticket"], "expiresIn": 30}
    assert len(data["ticket"]) == 43
    claims = ws_ticket_redeem(data["ticket"])
    assert claims == verify_access_token(alice.token)
    assert identity_of(claims).user_id == alice.user.id


def test_it_is_good_once(alice: Api) -> None:
    ticket = ticket_of(alice)
    assert ws_ticket_redeem(ticket) is not None
    assert ws_ticket_redeem(ticket) is None


@pytest.mark.commits
def test_it_is_good_once_also_for_fifty_at_once(alice: Api) -> None:
    ticket = ticket_of(alice)
    tried = at_once(50, lambda _: ws_ticket_redeem(ticket))
    assert tried.most_at_once > 5
    assert sum(claims is not None for claims in tried.results) == 1


def test_each_is_another(alice: Api) -> None:
    assert len({ticket_of(alice) for _ in range(20)}) == 20


def test_it_lives_thirty_seconds(alice: Api) -> None:
    ticket = ticket_of(alice)
    key = valkey.key("ws_ticket", fingerprint(ticket).hex())
    assert 0 < int(valkey.client().ttl(key)) <= TICKET_SECONDS
    # Valkey's own clock cannot be moved; what it does at the end can.
    valkey.client().pexpire(key, 0)
    assert ws_ticket_redeem(ticket) is None


def test_valkey_does_not_know_the_ticket(alice: Api) -> None:
    ticket = ticket_of(alice)
    keys = list(valkey.client().scan_iter(valkey.key("ws_ticket", "*")))
    assert len(keys) == 1
    assert ticket.encode() not in keys[0]
    assert ticket.encode() not in bytes(valkey.client().get(keys[0]) or b"")  # type: ignore[arg-type]


@pytest.mark.parametrize("ticket", ["", "x", "x" * 10_000, "é", "a:b*?", "\x00"])
def test_what_is_none_is_none(database: None, ticket: str) -> None:
    assert ws_ticket_redeem(ticket) is None


def test_a_foreign_tenants_ticket_stays_foreign(alice: Api, mallory: Api) -> None:
    claims = ws_ticket_redeem(ticket_of(mallory))
    assert claims is not None
    assert claims.tenant_id == mallory.tenant.id != alice.tenant.id
    assert identity_of(claims).tenant.id == mallory.tenant.id


def test_a_session_that_ended_makes_its_tickets_worthless(alice: Api) -> None:
    ticket = ticket_of(alice)
    alice.post("/auth/logout")
    claims = ws_ticket_redeem(ticket)
    assert claims is not None
    with pytest.raises(PlatformError) as refused:
        identity_of(claims)
    assert refused.value.code.key == "session_revoked"


def test_nobody_gets_none(api: Api) -> None:
    response = api.post("/auth/ws-ticket")
    assert (response.status_code, response.json()["error"]["code"]) == (401, "not_authenticated")


def test_sixty_a_minute_for_each_person(alice: Api, bob: Api, settings: object) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "ws_ticket_user": (3, 60)}  # type: ignore[attr-defined]
    codes = [alice.post("/auth/ws-ticket").status_code for _ in range(4)]
    assert codes == [200] * 3 + [429]
    assert bob.post("/auth/ws-ticket").status_code == 200


def test_a_ticket_is_no_bearer(alice: Api) -> None:
    assert Api(token=ticket_of(alice)).get("/auth/me").json()["error"]["code"] == "token_invalid"


def test_without_valkey_there_is_none(alice: Api, settings: object) -> None:
    ticket = ticket_of(alice)
    valkey.close()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"  # type: ignore[attr-defined]
    response = alice.post("/auth/ws-ticket")
    assert (response.status_code, response.json()["error"]["code"]) == (503, "service_unavailable")
    assert int(response["Retry-After"]) > 0
    with pytest.raises(PlatformError) as refused:
        ws_ticket_redeem(ticket)
    assert refused.value.code.key == "service_unavailable"
