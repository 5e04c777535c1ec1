"""With two roles: what the owner restored and imported is served by the application's, and the journal stays."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
from django.db import ProgrammingError, connection
from psycopg import errors, sql

from platform_site.archiving import AfterLoading, after_loading
from platform_site.journal.models import JournalEntry
from platform_site.outbox import dispatcher
from platform_site.owner import as_owner
from tenancy.archives.backing_up import backup
from tenancy.archives.container import Archive, ArchiveRefused
from tenancy.archives.exporting import export
from tenancy.archives.importing import import_tenant, plan_import
from tenancy.archives.restoring import plan_restore, restore
from tenancy.archives.tests.support import Manage, drop, live_a_little, said, sums
from tenancy.models import Tenant
from tenancy.provisioning.rights import application_role
from tests.support import COMPANY, PASSWORD, Api, data

pytestmark = [pytest.mark.commits, pytest.mark.timeout(300)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "acme.zip"


@pytest.mark.parametrize(
    ("write", "read"),
    [
        (["tenant_backup", COMPANY, "--to"], ["tenant_restore"]),
        (["tenant_backup", COMPANY, "--to"], ["tenant_restore", "--replace"]),
        (["tenant_export", COMPANY, "--to"], ["tenant_import"]),
    ],
)
def test_the_application_serves_what_came_back_and_cannot_change_its_journal(
    manage: Manage, alice: Api, bob: Api, tenant: Tenant, file: Path, write: list[str], read: list[str]
) -> None:
    channel = live_a_little(alice, bob)
    dispatcher.drain()
    said(manage(*write, str(file), "--json"))
    if "--replace" not in read:
        with as_owner():
            drop(tenant)
    said(manage(*read, str(file), "--json"))
    back = Tenant.objects.get(slug=COMPANY)
    assert back.schema_name != tenant.schema_name

    again = Api()
    signing_in = {"email": "admin@acme.test", "password": PASSWORD, "tenantSlug": COMPANY}
    again.token = data(again.post("/auth/login", signing_in))["accessToken"]
    assert connection.settings_dict["USER"] == application_role()
    assert len(data(again.get(f"/chat/channels/{channel}/messages"))) == 8
    data(again.post(f"/chat/channels/{channel}/messages", {"content": "after"}), 201)
    data(again.post("/users", {"email": "new@acme.test"}), 201)
    dispatcher.drain()

    for raw in connected_to(back):
        for statement in (
            "UPDATE journal_journalentry SET key = 'forged'",
            "DELETE FROM journal_journalentry",
            "TRUNCATE journal_journalentry",
            "DELETE FROM django_migrations",
            "ALTER TABLE accounts_user ADD COLUMN extra int",
            "CREATE TABLE mine (id int)",
        ):
            refused(raw, statement)
        owners = (
            "SELECT DISTINCT pg_get_userbyid(relowner) = current_user FROM pg_class"
            " WHERE relnamespace = current_schema()::regnamespace"
        )
        assert raw.execute(owners).fetchall() == [(False,)]


def connected_to(tenant: Tenant) -> Iterator["psycopg.Connection[Any]"]:
    """The application's role in the tenant's schema, with nothing of ours in between."""
    connection.ensure_connection()
    with psycopg.connect(connection.connection.info.dsn, autocommit=True) as raw:
        assert raw.info.user == application_role() != ""
        raw.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(tenant.schema_name)))
        yield raw


def refused(raw: "psycopg.Connection[Any]", statement: LiteralString) -> None:
    with pytest.raises(errors.InsufficientPrivilege):
        raw.execute(statement)


class TestGoingLive:
    """Rows are written with the application's rights, though the owner is at work."""

    @pytest.fixture(autouse=True)
    def _rewrites_the_journal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Some app puts right what nobody may."""
        rewriting = AfterLoading("test.rewriting", lambda _: JournalEntry.objects.update(key="forged"))
        monkeypatch.setitem(after_loading._entries, rewriting.key, rewriting)

    def test_of_a_restore(self, tenant: Tenant, file: Path) -> None:
        with as_owner():
            backup(tenant=tenant.ref, path=file)
            before = sums(tenant.schema_name)
            with Archive(file) as archive, pytest.raises(ProgrammingError, match="permission denied"):
                restore(plan_restore(archive, replace=True))
            assert sums(tenant.schema_name) == before
        assert Tenant.objects.get(pk=tenant.pk).schema_name == tenant.schema_name

    def test_of_an_import(self, tenant: Tenant, file: Path) -> None:
        with as_owner():
            export(tenant=tenant.ref, path=file)
            drop(tenant)
            with Archive(file) as archive, pytest.raises(ArchiveRefused, match="permission denied"):
                import_tenant(plan_import(archive))
        assert not Tenant.objects.filter(slug=COMPANY).exists()


@pytest.mark.as_owner
def test_an_owner_who_cannot_step_down_is_told_before_anything_is_touched(
    tenant: Tenant, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tenancy.provisioning.rights.application_role", lambda: "pg_monitor")
    monkeypatch.setattr("tenancy.archives.building.application_role", lambda: "pg_monitor")
    backup(tenant=tenant.ref, path=file)
    with Archive(file) as archive, pytest.raises(ArchiveRefused, match="no member of pg_monitor"):
        plan_restore(archive, replace=True)
    export(tenant=tenant.ref, path=file, force=True)
    with Archive(file) as archive, pytest.raises(ArchiveRefused, match="no member of pg_monitor"):
        plan_import(archive)
