"""What one web process changes counts in another within a second, although that one has it cached."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import httpx
import pytest
from django.db import transaction

from accounts.catalog import API_KEYS_MANAGE, USERS_INVITE, USERS_VIEW
from accounts.models import Session, User
from accounts.roles import Role
from accounts.services.people import user_create
from platform_site.binding import bind
from platform_site.session_cache import Slot
from tenancy.models import Tenant
from tests.contract.running import running_platform
from tests.support import COMPANY, Api, database_environment, signed_in

pytestmark = [pytest.mark.commits, pytest.mark.timeout(180)]

BOUND_SECONDS = 1.0
# Two bounds long, so that what comes back would be seen.
AFTERWARDS_SECONDS = 2.0
PAUSE_SECONDS = 0.01
# Ten a second are what one address may refresh.
REFRESH_PAUSE_SECONDS = 0.15


@dataclass(frozen=True, slots=True)
class Pair:
    """Two processes over one database: in ``here`` something is done, ``there`` it is looked at."""

    here: str
    there: str

    def do(self, person: Api, method: str, path: str, body: Any = None) -> tuple[Any, float]:
        """Do it here; the answer's data, and the moment when the answer was there."""
        headers = {"Authorization": f"Bearer {person.token}"}
        answer = httpx.request(method, f"{self.here}/api/v1{path}", json=body, headers=headers, timeout=30)
        answered = time.monotonic()
        assert answer.is_success, answer.text
        return answer.json()["data"], answered


@pytest.fixture
def pair(committed: str, tmp_path: Path) -> Iterator[Pair]:
    environment = database_environment(committed)
    with ExitStack() as stack, ThreadPoolExecutor(2) as pool:
        platforms = [running_platform(environment, tmp_path / f"{number}.log") for number in range(2)]
        yield Pair(*pool.map(stack.enter_context, platforms))


@dataclass(frozen=True, slots=True)
class Look:
    began: float
    seen: Any


class Watch:
    """Looks over and over, on a thread of its own, from entering to leaving."""

    def __init__(self, look: Callable[[], Any], pause: float = PAUSE_SECONDS) -> None:
        self._look, self._pause = look, pause
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self.looks: list[Look] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        if error is None and self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                began = time.monotonic()
                self.looks.append(Look(began, self._look()))
                self._stop.wait(self._pause)
        except BaseException as error:
            self._error = error

    def seconds_to(self, new: Any, *, instead_of: Any, after: float) -> float:
        """How long after this moment the first look began that saw the new state; none later saw the old one.

        Judged by its beginning: how long a busy machine takes for an answer is no part of it.
        """
        first = next((number for number, look in enumerate(self.looks) if look.seen == new), len(self.looks))
        old, changed = self.looks[:first], self.looks[first:]
        assert len(old) > 3, "nothing was looked at before"
        assert {look.seen for look in old} == {instead_of}
        assert {look.seen for look in changed} == {new}
        assert changed[-1].began > after + BOUND_SECONDS
        return changed[0].began - after


def wait_until(ready: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < until, "it did not come to that"
        time.sleep(0.02)


def watched(*watches: Watch) -> None:
    """Each of them has looked a few times."""
    counts = [len(watch.looks) for watch in watches]
    wait_until(lambda: all(len(watch.looks) >= count + 5 for watch, count in zip(watches, counts, strict=True)))


def is_cached(tenant: Tenant, session_id: UUID) -> bool:
    return Slot(tenant.id, session_id).read() is not None


def session_of(person: Api) -> UUID:
    """The newest one, which is the client's."""
    with bind(person.tenant.ref):
        return Session.objects.filter(user_id=person.user.id).latest("created_at").id


def statuses(client: httpx.Client, path: str, token: str) -> Callable[[], int]:
    return lambda: client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {token}"}).status_code


def refreshes(client: httpx.Client, token: str) -> Callable[[], int]:
    """Exchange the refresh token, and the next time the one that came back."""
    current = token

    def refresh() -> int:
        nonlocal current
        answer = client.post("/api/v1/auth/refresh", json={"refreshToken": current})
        if answer.is_success:
            current = answer.json()["data"]["refreshToken"]
        return answer.status_code

    return refresh


def own_permissions(client: httpx.Client, person: Api) -> Callable[[], tuple[str, frozenset[str]]]:
    def ask() -> tuple[str, frozenset[str]]:
        answer = client.get("/api/v1/permissions/me", headers={"Authorization": f"Bearer {person.token}"})
        data = answer.json()["data"]
        return data["role"], frozenset(data["permissions"])

    return ask


@pytest.fixture
def there(pair: Pair) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=pair.there, timeout=30) as client:
        yield client


def somebody(tenant: Tenant, role: Role, profile_id: int | None = None) -> Api:
    with bind(tenant.ref), transaction.atomic():
        user_create(email=f"dora@{COMPANY}.test", role=role, profile_id=profile_id)
    return signed_in(tenant, f"dora@{COMPANY}.test")


def new_key(pair: Pair, person: Api) -> tuple[UUID, str]:
    key, _ = pair.do(person, "POST", "/api-keys", {"name": "Import", "permissions": [USERS_VIEW.number]})
    return UUID(key["id"]), key["key"]


def test_who_is_deactivated_gets_nothing_more_anywhere(
    pair: Pair, there: httpx.Client, tenant: Tenant, alice: Api
) -> None:
    """Neither by the session, nor by refreshing, nor by a key of the own."""
    other = somebody(tenant, Role.TENANT_ADMIN)
    session, (key_id, key) = session_of(other), new_key(pair, other)
    refreshing = signed_in(tenant, other.user.email)
    with (
        Watch(statuses(there, "/auth/me", other.token)) as requests,
        Watch(statuses(there, "/users", key)) as keys,
        Watch(refreshes(there, refreshing.tokens.refresh_token), REFRESH_PAUSE_SECONDS) as refreshed,
    ):
        watched(requests, keys, refreshed)
        assert is_cached(tenant, session)
        assert is_cached(tenant, key_id)
        _, answered = pair.do(alice, "DELETE", f"/users/{other.user.id}")
        time.sleep(AFTERWARDS_SECONDS)
    for watch in (requests, keys, refreshed):
        assert watch.seconds_to(401, instead_of=200, after=answered) < BOUND_SECONDS


def test_a_permission_that_is_taken_from_a_profile_is_gone_everywhere(
    pair: Pair, there: httpx.Client, tenant: Tenant, alice: Api
) -> None:
    numbers = [USERS_VIEW.number, USERS_INVITE.number]
    profile, _ = pair.do(alice, "POST", "/profiles", {"name": "Hosts", "permissions": numbers})
    person = somebody(tenant, Role.MANAGER, profile["id"])
    session = session_of(person)
    both, one = frozenset({USERS_VIEW.key, USERS_INVITE.key}), frozenset({USERS_INVITE.key})
    with (
        Watch(own_permissions(there, person)) as permissions,
        Watch(statuses(there, "/users", person.token)) as lists,
    ):
        watched(permissions, lists)
        assert is_cached(tenant, session)
        _, answered = pair.do(alice, "PATCH", f"/profiles/{profile['id']}", {"permissions": [USERS_INVITE.number]})
        time.sleep(AFTERWARDS_SECONDS)
    before, after = (str(Role.MANAGER), both), (str(Role.MANAGER), one)
    assert permissions.seconds_to(after, instead_of=before, after=answered) < BOUND_SECONDS
    assert lists.seconds_to(403, instead_of=200, after=answered) < BOUND_SECONDS


def test_a_key_that_is_taken_back_opens_nothing_anywhere(
    pair: Pair, there: httpx.Client, tenant: Tenant, alice: Api
) -> None:
    key_id, key = new_key(pair, alice)
    with Watch(statuses(there, "/users", key)) as keys:
        watched(keys)
        assert is_cached(tenant, key_id)
        _, answered = pair.do(alice, "DELETE", f"/api-keys/{key_id}")
        time.sleep(AFTERWARDS_SECONDS)
    assert keys.seconds_to(401, instead_of=200, after=answered) < BOUND_SECONDS


def test_another_role_counts_everywhere(pair: Pair, there: httpx.Client, tenant: Tenant, alice: Api) -> None:
    other = somebody(tenant, Role.TENANT_ADMIN)
    session = session_of(other)
    with (
        Watch(own_permissions(there, other)) as permissions,
        Watch(statuses(there, "/api-keys", other.token)) as keys,
    ):
        watched(permissions, keys)
        assert is_cached(tenant, session)
        before = permissions.looks[-1].seen
        _, answered = pair.do(alice, "PATCH", f"/users/{other.user.id}", {"role": "user", "profileId": 3})
        time.sleep(AFTERWARDS_SECONDS)
    after = permissions.looks[-1].seen
    assert (before[0], after[0]) == ("tenant_admin", "user")
    assert API_KEYS_MANAGE.key in before[1] - after[1]
    assert permissions.seconds_to(after, instead_of=before, after=answered) < BOUND_SECONDS
    assert keys.seconds_to(403, instead_of=200, after=answered) < BOUND_SECONDS
    with bind(tenant.ref):
        assert User.objects.get(pk=other.user.id).role == Role.USER
