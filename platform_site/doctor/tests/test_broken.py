"""Each thing that can be wrong, really broken: the doctor names it and nothing else, and ends with 2."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis
from django.conf import settings as configured
from django.db import connection, connections

from accounts.models import CustomProfile, User
from accounts.services.second_factor_setup import second_factor_begin
from platform_site import pulse, valkey
from platform_site.beside import connect_beside
from platform_site.binding import bind
from platform_site.celery import app
from platform_site.doctor import database
from platform_site.doctor.tests.conftest import EXPECTED_WARNINGS, doctor, findings, problems
from platform_site.ids import uuid7
from platform_site.local.layout import Layout
from platform_site.local.server import Profile
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.registry import reactions
from platform_site.rotation.tests.conftest import NEXT
from tenancy.models import SchemaTemplate, Tenant
from tenancy.provisioning.schemas import drop_schema
from tests.servers import private_valkey
from tests.support import COMPANY, OTHER_COMPANY, signed_in

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(autouse=True)
def _installed(installation: Callable[[], None]) -> Callable[[], None]:
    return installation


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def schema(slug: str = OTHER_COMPANY) -> str:
    name: str = Tenant.objects.get(slug=slug).schema_name
    return name


def row(**values: Any) -> OutboxRow:
    known = {"entry_id": uuid7(), "key": "tests", "reaction": next(iter(reactions)).key}
    return OutboxRow.objects.create(**{**known, **values})


@pytest.mark.commits
def test_nothing_is_wrong_with_a_good_installation() -> None:
    code, told = doctor()
    assert [one for one in told["examinations"] if one["state"] == "problem"] == []
    assert {one["name"] for one in told["examinations"] if one["state"] == "warning"} == EXPECTED_WARNINGS
    assert (code, told["healthy"]) == (0, True)


# Settings

PRODUCTION = {
    "DEBUG on": ({"DEBUG": True}, {"settings.debug"}),
    "rate limits off": ({"RATE_LIMITS_ENABLED": False}, {"settings.limits", "settings.checks"}),
    "every host": ({"ALLOWED_HOSTS": ["*"]}, {"settings.addresses"}),
    "another host": ({"ALLOWED_HOSTS": ["elsewhere.com"]}, {"settings.addresses"}),
    "a subdomain's host is answered": ({"ALLOWED_HOSTS": [".acme.com"]}, set()),
    "no TLS": ({"PUBLIC_URL": "http://platform.acme.com"}, {"settings.addresses"}),
    "a path in PUBLIC_URL": ({"PUBLIC_URL": "https://platform.acme.com/x"}, {"settings.addresses"}),
    "an origin with a path": (
        {"CORS_ALLOWED_ORIGINS": ["https://app.acme.com/"]},
        {"settings.addresses", "settings.checks"},
    ),
    "every origin": ({"CSRF_TRUSTED_ORIGINS": ["https://*.acme.com"]}, {"settings.addresses"}),
    "a frontend that may not call": ({"FRONTEND_URL": "https://app.acme.com"}, {"settings.addresses"}),
    "a frontend that may": (
        {"FRONTEND_URL": "https://app.acme.com/start", "CORS_ALLOWED_ORIGINS": ["https://app.acme.com"]},
        set(),
    ),
    "a combination that cannot be meant": ({"CORS_ALLOW_CREDENTIALS": True}, {"settings.checks"}),
    "a short SECRET_KEY": ({"SECRET_KEY": "a-short-one"}, {"keys.strength"}),
    "a SECRET_KEY that can be guessed": ({"SECRET_KEY": "s" * 60}, {"keys.strength"}),
    "Django's placeholder": (
        {"SECRET_KEY": "django-insecure-q#h7!d0t&w3)z^k2b5x@p9m*r6s1v4y8c-e_f+g(j"},
        {"keys.strength"},
    ),
    "a key of letters": ({"JWT_KEYS": [("k1", "abcd" * 12)]}, {"keys.strength"}),
    "no server for mail": ({"EMAIL_PORT": 9}, {"mail.server"}),
    "a sender of nobody's": ({"DEFAULT_FROM_EMAIL": "no-reply@platform.test"}, {"mail.sender"}),
}


@pytest.mark.parametrize(("changes", "wrong"), PRODUCTION.values(), ids=PRODUCTION)
def test_settings_that_are_wrong(changes: dict[str, Any], wrong: set[str], settings: Any) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    assert problems() == wrong


def test_a_mail_server_that_nobody_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMAIL_URL")
    assert problems() == {"mail.sender"}


def test_static_files_that_were_not_collected(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    assert problems() == {"files.static"}


def test_a_home_that_cannot_be_written(settings: Any, tmp_path: Path) -> None:
    settings.EMBEDDED_VALKEY = True
    settings.LAYOUT = Layout(tmp_path / "gone")
    assert problems() == {"files.writable"}


# Keys


def test_two_keys_that_are_the_same(settings: Any) -> None:
    settings.JWT_KEYS = [("j1", settings.TOKEN_KEYS[0][1])]
    assert problems() == {"keys.equal"}
    assert settings.TOKEN_KEYS[0][1] not in str(findings("--only", "keys"))


def test_a_ring_of_three(settings: Any) -> None:
    for number in range(2):
        settings.JWT_KEYS = [*settings.JWT_KEYS, (f"old{number}", f"{number}{settings.SECRET_KEY[1:]}"[::-1])]
    assert problems() == {"keys.rings", "settings.checks"}


def test_a_ring_of_two_is_a_rotation_and_no_problem(settings: Any) -> None:
    settings.JWT_KEYS = [*settings.JWT_KEYS, ("old", settings.SECRET_KEY[::-1])]
    assert problems() == set()
    assert findings("--only", "keys.rings")["keys.rings"]["found"] == "JWT_KEYS is being replaced."


def test_something_sealed_under_a_key_that_is_gone(tenant: Tenant, settings: Any) -> None:
    with bind(tenant.ref):
        second_factor_begin(user_id=User.objects.get(pk=1).id)
    lost = settings.ENCRYPTION_KEYS[0][0]
    settings.ENCRYPTION_KEYS = [("new", settings.SECRET_KEY[::-1])]
    assert problems() == {"keys.stored"}
    told = findings("--only", "keys.stored")["keys.stored"]
    assert told["found"] == f"1 of accounts.second_factors are under {lost}, which is not in ENCRYPTION_KEYS."


def test_a_session_under_a_key_that_is_gone(tenant: Tenant, settings: Any) -> None:
    signed_in(tenant, f"admin@{COMPANY}.test")
    settings.TOKEN_KEYS = [(NEXT[0], settings.SECRET_KEY[::-1])]
    assert problems() == {"keys.stored"}


# The database


@pytest.mark.commits
def test_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as away:
        away.setitem(connections.settings["default"], "HOST", "/nowhere")
        away.setitem(connections.settings["default"], "PASSWORD", "open sesame")
        away.setitem(configured.DATABASES["default"], "PASSWORD", "open sesame")
        assert problems() == {"database.reachable"}
        told = findings()
    assert told["tenants.schemas"]["state"] == told["work.outbox"]["state"] == told["keys.stored"]["state"] == "skipped"
    # What needs no database is looked at all the same.
    assert told["valkey.reachable"]["state"] == told["mail.server"]["state"] == "ok"
    assert "open sesame" not in str(told)


@pytest.mark.as_owner
def test_an_extension_that_is_missing() -> None:
    sql("DROP EXTENSION pg_trgm CASCADE")
    assert problems() == {"database.extensions"}


@pytest.mark.as_owner
def test_an_empty_database() -> None:
    sql("ALTER TABLE tenancy_tenant RENAME TO elsewhere")
    assert problems() == {"database.migrated"}


@pytest.mark.as_owner
def test_a_migration_of_public_that_was_not_applied() -> None:
    sql("DELETE FROM django_migrations WHERE app = 'outbox' AND name = '0003_lanes'")
    assert problems() == {"database.migrations"}


@pytest.mark.as_owner
def test_no_template_for_sign_ups() -> None:
    template = SchemaTemplate.objects.get()
    template.delete()
    drop_schema(template.template_schema)
    assert problems() == {"database.template"}


@pytest.mark.commits
@pytest.mark.as_owner
def test_a_search_path_that_leads_elsewhere(committed: str) -> None:
    sql(f'ALTER DATABASE "{committed}" SET search_path = pg_catalog')
    assert "database.search_path" in problems("--only", "database")


def test_a_time_zone_that_nobody_knows() -> None:
    Tenant.objects.filter(slug=OTHER_COMPANY).update(timezone="Mars/Olympus_Mons")
    assert problems() == {"database.time_zones"}


def test_a_clock_that_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "now", lambda: datetime.now(UTC) + timedelta(seconds=3))
    assert problems() == {"database.clock", "valkey.clock"}


def test_a_clock_that_is_a_little_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "now", lambda: datetime.now(UTC) - timedelta(seconds=1))
    assert problems() == set()


def test_a_pg_dump_that_is_too_old(tmp_path: Path, settings: Any) -> None:
    program = tmp_path / "pg_dump"
    program.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 14.11'\n")
    program.chmod(0o755)
    settings.PG_BIN_DIR = str(tmp_path)
    assert problems() == {"database.pg_dump"}


def test_no_pg_dump_is_a_warning(tmp_path: Path, settings: Any) -> None:
    settings.PG_BIN_DIR = str(tmp_path)
    assert problems() == set()
    assert findings("--only", "database.pg_dump")["database.pg_dump"]["state"] == "warning"


class Pooler:
    """As one that pools transactions: whoever says something gets the first connection that is in no transaction."""

    def __init__(self) -> None:
        self.servers = [connect_beside(), connect_beside()]
        self.clients: list[PooledClient] = []

    def connect(self) -> "PooledClient":
        self.clients.append(PooledClient(self))
        return self.clients[-1]

    def free(self) -> "psycopg.Connection[Any]":
        taken = {id(client.server) for client in self.clients if client.server is not None}
        return next(server for server in self.servers if id(server) not in taken)


class PooledClient:
    def __init__(self, pooler: Pooler) -> None:
        self.pooler = pooler
        self.server: psycopg.Connection[Any] | None = None

    def execute(self, *what: Any) -> Any:
        return (self.server or self.pooler.free()).execute(*what)

    def transaction(self) -> "PooledClient":
        self.server = self.pooler.free()
        self.server.execute("BEGIN")
        return self

    def __enter__(self) -> "PooledClient":
        return self

    def __exit__(self, *error: object) -> None:
        if self.server is not None:
            self.server.execute("COMMIT")
            self.server = None


def test_a_pooler_that_hands_connections_on(monkeypatch: pytest.MonkeyPatch) -> None:
    pooler = Pooler()
    monkeypatch.setattr(database, "connect_beside", pooler.connect)
    try:
        assert findings("--only", "database.session")["database.session"]["state"] == "problem"
    finally:
        for server in pooler.servers:
            server.close()


# Valkey


@pytest.fixture
def own_valkey(tmp_path: Path, settings: Any, installation: Callable[[], None]) -> Iterator[Any]:
    with private_valkey(tmp_path, Profile.DEVELOPMENT) as own:
        settings.REDIS_URL = own.url
        valkey.close()
        installation()
        yield own
        valkey.close()


def test_a_valkey_that_is_away(own_valkey: Any) -> None:
    own_valkey.stop()
    valkey.close()
    assert problems("--only", "valkey", "work") == {"valkey.reachable"}
    assert findings("--only", "work.worker")["work.worker"]["state"] == "skipped"


def test_a_valkey_that_throws_away(own_valkey: Any) -> None:
    with redis.Redis.from_url(own_valkey.url) as client:
        client.config_set("maxmemory", "100mb")
        client.config_set("maxmemory-policy", "allkeys-lru")
        assert problems("--only", "valkey") == {"valkey.eviction"}
        client.config_set("maxmemory-policy", "volatile-lru")
    assert findings("--only", "valkey")["valkey.eviction"]["state"] == "warning"


def test_a_valkey_that_keeps_its_data(own_valkey: Any) -> None:
    assert findings("--only", "valkey")["valkey.persistence"]["state"] == "ok"


def test_a_valkey_that_lets_nothing_be_published(own_valkey: Any) -> None:
    with redis.Redis.from_url(own_valkey.url) as client:
        client.execute_command("ACL", "SETUSER", "default", "resetchannels")
        assert "valkey.publishing" in problems("--only", "valkey")


def test_a_queue_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.conf, "broker_write_url", "redis://127.0.0.1:9/0")
    assert problems() == {"valkey.broker"}


# Work


def forget(part: pulse.Part) -> None:
    valkey.client().delete(valkey.key("pulse", part))


def test_no_worker() -> None:
    forget(pulse.Part.WORKER)
    assert problems() == {"work.worker"}


def test_a_worker_that_fell_silent() -> None:
    valkey.client().pexpire(valkey.key("pulse", "worker"), (pulse.KEEP_SECONDS - 90) * 1000)
    assert problems() == {"work.worker"}
    assert "its last sign is 9" in findings("--only", "work.worker")["work.worker"]["found"]


def test_no_scheduler() -> None:
    forget(pulse.Part.SCHEDULER)
    assert problems() == {"work.scheduler"}


def test_a_dead_letter() -> None:
    row(state=OutboxRow.State.DEAD, last_error="SMTPServerDisconnected")
    assert problems() == {"work.dead_letters"}
    told = findings("--only", "work.dead_letters")["work.dead_letters"]["found"]
    assert told.startswith("1 dead letters")
    assert "(SMTPServerDisconnected)" in told


def test_work_that_nobody_does() -> None:
    row(available_at=datetime.now(UTC) - timedelta(minutes=6))
    assert problems() == {"work.outbox"}


def test_work_that_waits_a_little_too_long() -> None:
    row(available_at=datetime.now(UTC) - timedelta(minutes=2))
    assert problems() == set()
    assert findings("--only", "work.outbox")["work.outbox"]["state"] == "warning"


def test_work_that_no_code_knows() -> None:
    row(reaction="crm.reactions.call_back", available_at=datetime.now(UTC) + timedelta(hours=1))
    assert problems() == {"work.names"}


# Tenants


@pytest.mark.as_owner
def test_a_schema_that_was_dropped() -> None:
    drop_schema(schema())
    assert problems() == {"tenants.schemas"}
    assert OTHER_COMPANY in findings("--only", "tenants")["tenants.schemas"]["found"]


@pytest.mark.as_owner
def test_a_schema_of_nobody() -> None:
    sql("CREATE SCHEMA t_0123456789abcdef")
    assert problems() == {"tenants.orphans"}
    assert "t_0123456789abcdef" in findings("--only", "tenants")["tenants.orphans"]["found"]


def test_a_tenant_that_lacks_migrations() -> None:
    Tenant.objects.filter(slug=OTHER_COMPANY).update(schema_fingerprint="of the release before")
    assert problems() == {"tenants.migrations"}


@pytest.mark.as_owner
def test_a_table_that_was_dropped() -> None:
    sql(f'DROP TABLE "{schema()}".chat_message CASCADE')
    assert problems() == {"tenants.tables"}


def test_a_permission_that_no_code_knows(tenant: Tenant) -> None:
    with bind(tenant.ref):
        CustomProfile.objects.create(id=500, name="Sales", name_key="sales", permissions=[1, 9999])
    assert problems() == {"tenants.permissions"}
