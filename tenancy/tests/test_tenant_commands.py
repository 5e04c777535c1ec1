"""Making tenants, listing them and looking at one of them, from the command line."""

import io
import json
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Session
from platform_site.binding import bind
from platform_site.outbox.models import OutboxRow
from tenancy.management.commands import tenant_list
from tenancy.migrating.history import migrations_fingerprint
from tenancy.models import Tenant, TenantMigration
from tests.rows import row_counts
from tests.support import PASSWORD, Api, error

CREATE = ["tenant_create", "northwind", "--name", "Northwind", "--admin-email", "Ada@Northwind.test"]


def sign_in(api: Api, password: str) -> Any:
    body = {"email": "ada@northwind.test", "password": password, "tenantSlug": "northwind"}
    return api.post("/auth/login", body)


@pytest.mark.commits
@pytest.mark.timeout(300)
class TestCreate:
    def test_with_a_password_from_standard_input(self, manage: Any, api: Api) -> None:
        done = manage(*CREATE, "--password-stdin", "--json", input=f"{PASSWORD}\nmore\n")
        assert (done.returncode, done.stderr) == (0, "")
        made = json.loads(done.stdout)
        assert (made["slug"], made["status"], made["mailed"]) == ("northwind", "active", False)
        assert sign_in(api, PASSWORD).status_code == 200

    def test_without_one_a_link_is_mailed_and_nobody_is_signed_in(self, manage: Any) -> None:
        done = manage(*CREATE)
        assert done.returncode == 0
        assert "A mail with a link" in done.stdout
        assert OutboxRow.objects.filter(tenant_id=None, key="accounts.password_forgot").count() == 1
        with bind(Tenant.objects.get(slug="northwind").ref):
            assert not Session.objects.filter(revoked_at=None).exists()

    def test_a_rehearsal_writes_nothing(self, manage: Any) -> None:
        before = row_counts()
        done = manage(*CREATE, "--dry-run", "--json")
        assert (done.returncode, json.loads(done.stdout)["dryRun"]) == (0, True)
        assert row_counts() == before

    @pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
    def test_refusals_are_the_same_in_a_rehearsal(
        self, tenant: Tenant, dry_run: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = row_counts()
        for slug, name, address in (
            ("acme", "x", "a@b.test"),
            ("admin", "x", "a@b.test"),
            ("fine", " ", "a@b.test"),
            ("fine", "x", "nobody"),
        ):
            with pytest.raises(CommandError) as refused:
                call_command("tenant_create", slug, *dry_run, name=name, admin_email=address)
            assert refused.value.returncode == 1, slug
        monkeypatch.setattr("sys.stdin", io.StringIO("password\n"))
        with pytest.raises(CommandError, match="among the most used"):
            call_command(*CREATE, "--password-stdin", *dry_run)
        assert row_counts() == before


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, Any]]:
    call_command("tenant_list", "--json", *arguments)
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


class TestList:
    def test_filters(self, tenant: Tenant, other_tenant: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
        def slugs(*arguments: str) -> list[str]:
            return [one["slug"] for one in listed(capsys, *arguments)]

        assert slugs() == ["acme", "globex"]
        Tenant.objects.filter(pk=other_tenant.pk).update(status="suspended", plan="pro", schema_fingerprint="old")
        assert slugs("--status", "suspended") == slugs("--plan", "pro") == slugs("--stale") == ["globex"]
        assert slugs("--status", "suspended", "--status", "active") == ["acme", "globex"]
        assert slugs("--failing") == []
        OutboxRow.objects.create(tenant_id=tenant.id, entry_id=uuid4(), key="k", reaction="r", state="dead")
        [failing] = listed(capsys, "--failing")
        assert (failing["slug"], failing["deadLetters"], failing["stale"]) == ("acme", 1, False)
        OutboxRow.objects.all().delete()
        TenantMigration.objects.create(
            tenant_id=other_tenant.id, fingerprint="x", state="failed", error="Boom", started_at=tenant.created_at
        )
        [failing] = listed(capsys, "--failing")
        assert (failing["slug"], failing["migrationError"], failing["stale"]) == ("globex", "Boom", True)
        Tenant.objects.filter(pk=other_tenant.pk).update(status="deleted")
        assert slugs() == ["acme"]
        assert slugs("--status", "deleted") == ["globex"]

    def test_ten_thousand_are_read_page_by_page(self, tenant: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
        current = migrations_fingerprint()
        Tenant.objects.bulk_create(
            (
                Tenant(name="x", slug=f"x-{n}", schema_name=f"none-{n}", status="active", schema_fingerprint=current)
                for n in range(2000)
            ),
            batch_size=500,
        )
        with CaptureQueriesContext(connection) as queries:
            rows = tenant_list._listed(Tenant.objects.all())
            first = next(rows)
            assert len(queries) == 3
            seen = {first["slug"], *(one["slug"] for one in rows)}
        assert len(seen) == 2002
        # Four full pages, a rest, and the end: three queries each, one for the end.
        assert len(queries) == 16

    @pytest.mark.commits
    def test_the_command_and_its_exit_codes(self, manage: Any, tenant: Tenant) -> None:
        done = manage("tenant_list", "--plan", "trial")
        assert done.returncode == 0
        assert [line.split()[:3] for line in done.stdout.splitlines()] == [
            ["acme", "active", "trial"],
            ["globex", "active", "trial"],
        ]
        assert manage("tenant_list", "--status", "unheard-of").returncode == 2


@pytest.mark.commits
@pytest.mark.timeout(120)
def test_a_rehearsed_suspension_writes_nothing(manage: Any, alice: Api) -> None:
    before = row_counts()
    dry = manage("tenant_suspend", "acme", "--reason", "abuse", "--dry-run", "--json")
    assert (dry.returncode, json.loads(dry.stdout)["status"]) == (0, "suspended")
    assert row_counts() == before
    assert alice.get("/tenants/me").status_code == 200
    assert manage("tenant_suspend", "acme", "--reason", "abuse").returncode == 0
    assert error(alice.get("/tenants/me")) == (403, "tenant_suspended")
    before = row_counts()
    assert manage("tenant_reactivate", "acme", "--dry-run").stdout == "acme would be active.\n"
    assert (row_counts(), Tenant.objects.get(slug="acme").status) == (before, "suspended")
