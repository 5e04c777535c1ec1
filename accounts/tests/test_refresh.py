"""``POST /auth/refresh``: rotation, grace, reuse."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Session, User
from accounts.services import sessions
from accounts.tokens import parse_token
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from tenancy.models import Tenant
from tests.support import Api, at_once, scaled


def refresh(token: str) -> tuple[int, dict[str, object]]:
    response = Api().post("/auth/refresh", {"refreshToken": token})
    body = response.json()
    return response.status_code, body.get("data") or body["error"]


def end_grace(tenant: Tenant) -> None:
    """As if ten seconds had passed since the last rotation."""
    with bind(tenant.ref):
        Session.objects.update(previous_until=timezone.now() - timedelta(seconds=1))


def test_it_gives_the_next_pair(alice: Api) -> None:
    status, data = refresh(alice.tokens.refresh_token)
    assert status == 200
    assert data["refreshToken"] != alice.tokens.refresh_token
    assert data["user"]["email"] == "admin@acme.test"  # type: ignore[index]
    assert Api(token=str(data["accessToken"])).get("/auth/me").status_code == 200


def test_within_the_grace_the_old_token_gives_the_same_successor(alice: Api) -> None:
    _, first = refresh(alice.tokens.refresh_token)
    status, second = refresh(alice.tokens.refresh_token)
    assert status == 200
    assert second["refreshToken"] == first["refreshToken"]


def test_the_successor_goes_on_working_after_a_grace_answer(alice: Api) -> None:
    _, first = refresh(alice.tokens.refresh_token)
    refresh(alice.tokens.refresh_token)
    assert refresh(str(first["refreshToken"]))[0] == 200


def test_after_the_grace_the_session_is_dead(alice: Api, tenant: Tenant) -> None:
    _, first = refresh(alice.tokens.refresh_token)
    end_grace(tenant)
    status, error = refresh(alice.tokens.refresh_token)
    assert (status, error["code"]) == (401, "refresh_token_reused")
    assert refresh(str(first["refreshToken"]))[1]["code"] == "session_revoked"
    assert alice.get("/auth/me").json()["error"]["code"] == "session_revoked"


def test_a_token_from_two_rotations_ago_ends_the_session_at_once(alice: Api) -> None:
    _, first = refresh(alice.tokens.refresh_token)
    refresh(str(first["refreshToken"]))
    assert refresh(alice.tokens.refresh_token)[1]["code"] == "refresh_token_reused"


def test_reuse_is_written_in_the_journal(alice: Api, tenant: Tenant) -> None:
    refresh(alice.tokens.refresh_token)
    end_grace(tenant)
    refresh(alice.tokens.refresh_token)
    with bind(tenant.ref):
        entry = JournalEntry.objects.get(key="accounts.refresh_token_reused")
    assert entry.subject_id == str(alice.user.uuid)


def test_a_made_up_secret_is_refused_and_ends_nothing(alice: Api) -> None:
    token = parse_token(alice.tokens.refresh_token, "rt")
    assert token is not None
    forged = f"rt_{token.tenant_id.hex}.{token.id.hex}.{'A' * 43}0"
    assert refresh(forged)[1]["code"] == "refresh_token_invalid"
    assert refresh(alice.tokens.refresh_token)[0] == 200


def test_another_tenants_prefix_finds_nothing(alice: Api, other_tenant: Tenant) -> None:
    token = parse_token(alice.tokens.refresh_token, "rt")
    assert token is not None
    moved = alice.tokens.refresh_token.replace(token.tenant_id.hex, other_tenant.id.hex)
    assert refresh(moved)[1]["code"] == "refresh_token_invalid"


@pytest.mark.parametrize("text", ["x", "rt_..", "rt_" + "0" * 32 + "." + "0" * 32 + "." + "A" * 43, "eyJ.x.y"])
def test_what_is_no_refresh_token(api: Api, text: str) -> None:
    assert refresh(text)[1]["code"] == "refresh_token_invalid"


def test_an_idle_session_expires(alice: Api, tenant: Tenant) -> None:
    with bind(tenant.ref):
        Session.objects.update(idle_expires_at=timezone.now())
    assert refresh(alice.tokens.refresh_token)[1]["code"] == "refresh_token_expired"


def test_no_refresh_goes_past_the_absolute_end(alice: Api, tenant: Tenant) -> None:
    end = timezone.now() + timedelta(minutes=5)
    with bind(tenant.ref):
        Session.objects.update(absolute_expires_at=end)
    refresh(alice.tokens.refresh_token)
    with bind(tenant.ref):
        assert Session.objects.get(user_id=1).idle_expires_at == end


def test_a_deactivated_person_cannot_refresh(alice: Api, tenant: Tenant) -> None:
    with bind(tenant.ref):
        User.objects.update(status=User.Status.INACTIVE)
    assert refresh(alice.tokens.refresh_token)[1]["code"] == "session_revoked"


def test_a_suspended_tenant_cannot_refresh(alice: Api, tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(status="suspended")
    assert refresh(alice.tokens.refresh_token)[1]["code"] == "tenant_suspended"


def test_no_usable_secret_is_stored(alice: Api, tenant: Tenant) -> None:
    token = parse_token(alice.tokens.refresh_token, "rt")
    assert token is not None
    with bind(tenant.ref):
        stored = Session.objects.values().get(id=token.id)
    assert token.secret.encode() not in b"".join(
        bytes(v) for v in stored.values() if isinstance(v, (bytes, memoryview))
    )
    assert token.secret not in str(stored)


def test_a_new_key_takes_over_without_signing_anybody_out(alice: Api, settings: object) -> None:
    old = settings.TOKEN_KEYS  # type: ignore[attr-defined]
    settings.TOKEN_KEYS = [("new", "n" * 43), *old]  # type: ignore[attr-defined]
    status, data = refresh(alice.tokens.refresh_token)
    assert status == 200
    settings.TOKEN_KEYS = [("new", "n" * 43)]  # type: ignore[attr-defined]
    assert refresh(str(data["refreshToken"]))[0] == 200


@pytest.mark.commits
@pytest.mark.timeout(900)
def test_fifty_parallel_refreshes_give_one_successor(alice: Api) -> None:
    for _ in range(scaled(1, 100)):
        token = alice.tokens.refresh_token
        tried = at_once(50, lambda _, token=token: refresh(token))  # type: ignore[misc]
        assert tried.most_at_once > 5
        assert {status for status, _ in tried.results} == {200}
        successors = {data["refreshToken"] for _, data in tried.results}
        assert len(successors) == 1
        alice.tokens = type(alice.tokens)(alice.token, str(successors.pop()), 600)


@pytest.mark.commits
def test_a_slow_refresh_does_not_turn_the_clock_back(alice: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """One request stops between reading the session and writing it, while another wants to go two steps on.

    The row lock makes the second wait. Without it the first would write its old
    counter over the newer one, and the newest token would look stolen.
    """
    reading, go_on = threading.Event(), threading.Event()
    real = sessions._rotate

    def slow(*args: Any) -> Any:
        if not reading.is_set():
            reading.set()
            go_on.wait(2)
        return real(*args)

    monkeypatch.setattr(sessions, "_rotate", slow)

    def work(number: int) -> str:
        if number == 0:
            return str(refresh(alice.tokens.refresh_token)[1]["refreshToken"])
        assert reading.wait(10)
        _, first = refresh(alice.tokens.refresh_token)
        _, second = refresh(str(first["refreshToken"]))
        go_on.set()
        return str(second["refreshToken"])

    done = at_once(2, work)
    assert done.most_at_once == 2
    assert refresh(done.results[1])[0] == 200
