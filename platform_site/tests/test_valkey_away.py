"""Valkey stopped, flushed, or back with yesterday's data: nothing is lost and nothing comes back to life."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Session
from platform_site import session_cache, valkey
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from platform_site.local.server import Profile
from platform_site.outbox.models import OutboxRow
from tenancy.models import CacheEpoch, Tenant
from tests.servers import private_valkey
from tests.support import COMPANY, PASSWORD, Api

GOOD = {"email": "admin@acme.test", "password": PASSWORD, "tenantSlug": COMPANY}
pytestmark = pytest.mark.commits


@pytest.fixture
def server(tmp_path: Path, settings: Any) -> Iterator[Any]:
    """A Valkey of the test's own that keeps its data, so that it can be stopped and brought back."""
    with private_valkey(tmp_path, Profile.DEVELOPMENT) as own:
        settings.REDIS_URL = own.url
        valkey.close()
        yield own
        valkey.close()


def me(client: Api) -> int:
    status: int = client.get("/auth/me").status_code
    return status


def test_sign_in_refresh_sign_out_and_journal_work_without_it(server: Any, api: Api, tenant: Tenant) -> None:
    server.stop()
    signed = api.post("/auth/login", GOOD)
    assert signed.status_code == 200
    client = Api(token=signed.json()["data"]["accessToken"])
    assert me(client) == 200
    refreshed = api.post("/auth/refresh", {"refreshToken": signed.json()["data"]["refreshToken"]})
    assert refreshed.status_code == 200
    assert client.post("/auth/logout").json()["data"] == {"revoked": 1}
    assert me(client) == 401
    with bind(tenant.ref):
        keys = set(JournalEntry.objects.values_list("key", flat=True))
    assert {"accounts.signed_in", "accounts.signed_out"} <= keys


def test_reactions_wait_in_sql_while_it_is_away(server: Any, tenant: Tenant) -> None:
    from django.db import transaction

    from accounts import catalog
    from platform_site.journal.services import record
    from platform_site.outbox import dispatcher

    OutboxRow.objects.all().delete()
    server.stop()
    with bind(tenant.ref), transaction.atomic():
        from accounts.models import User

        User.objects.update(email_verified_at="2026-01-01T00:00:00Z")
        record(catalog.USER_REGISTERED, subject=("user", User.objects.get(pk=1).uuid))
    waiting = OutboxRow.objects.count()
    assert waiting >= 1
    assert dispatcher.drain() == waiting
    assert not OutboxRow.objects.exists()


def test_a_session_ended_while_it_was_away_stays_ended_when_it_is_back(server: Any, alice: Api) -> None:
    assert me(alice) == 200
    server.stop()
    assert alice.post("/auth/logout").json()["data"] == {"revoked": 1}
    server.start()
    time.sleep(session_cache.EPOCH_SECONDS)
    assert me(alice) == 401


def test_a_write_that_cannot_reach_it_forgets_every_record(server: Any, alice: Api, bob: Api) -> None:
    """Also for processes that can still reach it: they read the epoch again after a second."""
    assert (me(alice), me(bob)) == (200, 200)
    before = CacheEpoch.objects.get().epoch
    server.stop()
    alice.post("/auth/logout")
    assert CacheEpoch.objects.get().epoch == before + 1
    server.start()
    time.sleep(session_cache.EPOCH_SECONDS)
    assert (me(alice), me(bob)) == (401, 200)


def test_a_process_that_is_cut_off_makes_the_others_forget(server: Any, alice: Api, settings: Any) -> None:
    """The server goes on running and keeps its record; only the one who signs out cannot reach it."""
    assert me(alice) == 200
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    valkey.close()
    assert alice.post("/auth/logout").json()["data"] == {"revoked": 1}
    settings.REDIS_URL = server.url
    valkey.close()
    assert valkey.client().keys(f"*{alice.tenant.id}*"), "the record is still there"
    assert me(alice) == 401


def test_it_comes_back_with_data_from_before_the_sign_out(server: Any, alice: Api, tmp_path: Path) -> None:
    """The copy holds the record of a live session; the run id in its key is another server's."""
    assert me(alice) == 200
    assert valkey.client().keys(f"*{alice.tenant.id}*")
    valkey.client().save()
    server.stop()
    data, copy = tmp_path, tmp_path.with_name("copy")
    shutil.copytree(data, copy, ignore=shutil.ignore_patterns("*.sock", "*.lock"))
    server.start()
    # A new client reaches it, so no epoch is bumped: the tombstone is all there is, and it is lost below.
    valkey.close()
    before = CacheEpoch.objects.get().epoch
    assert alice.post("/auth/logout").json()["data"] == {"revoked": 1}
    assert CacheEpoch.objects.get().epoch == before
    server.stop()
    for path in data.rglob("appendonlydir"):
        shutil.rmtree(path)
    shutil.copytree(copy, data, dirs_exist_ok=True)
    for path in data.rglob("*"):
        shutil.chown(path, user=data.stat().st_uid, group=data.stat().st_gid)
    server.start()
    valkey.close()
    assert valkey.client().keys(f"*{alice.tenant.id}*"), "the old data are back"
    assert me(alice) == 401


def test_without_it_attempts_are_still_counted(server: Any, tenant: Tenant) -> None:
    server.stop()
    codes = [Api().post("/auth/login", {**GOOD, "password": "wrong-password"}).status_code for _ in range(8)]
    assert 429 in codes
    assert codes.count(401) <= 10


def test_a_flush_costs_nothing_but_time(server: Any, alice: Api, bob: Api) -> None:
    assert (me(alice), me(bob)) == (200, 200)
    alice.post("/auth/logout")
    valkey.client().flushall()
    assert (me(alice), me(bob)) == (401, 200)


def test_a_reader_that_was_slower_than_the_sign_out_does_not_put_the_old_record_back(
    server: Any, alice: Api, tenant: Tenant
) -> None:
    from accounts.access_tokens import verify_access_token
    from accounts.services.session_records import _encode, _load

    claims = verify_access_token(alice.token)
    slow = session_cache.Slot(claims.tenant_id, claims.session_id)
    assert slow.read() is None
    old = _load(claims)
    alice.post("/auth/logout")
    slow.fill(_encode(old))
    assert me(alice) == 401


def test_a_suspended_tenant_is_refused_at_once_and_let_in_again(alice: Api, bob: Api, mallory: Api) -> None:
    from tenancy.services import tenant_reactivate, tenant_suspend

    assert (me(alice), me(bob), me(mallory)) == (200, 200, 200)
    tenant_suspend(tenant_id=alice.tenant.id, reason="a test")
    assert alice.get("/auth/me").json()["error"]["code"] == "tenant_suspended"
    assert (me(alice), me(bob), me(mallory)) == (403, 403, 200)
    tenant_reactivate(tenant_id=alice.tenant.id)
    assert (me(alice), me(bob)) == (200, 200)


def test_sessions_are_counted_by_sql_not_by_the_cache(server: Any, alice: Api, tenant: Tenant) -> None:
    assert me(alice) == 200
    with bind(tenant.ref):
        assert Session.objects.filter(revoked_at=None).count() == 1
