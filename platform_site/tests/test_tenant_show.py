"""``tenant_show``: one tenant as an operator sees it."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from platform_site.outbox.models import OutboxRow
from tenancy.deletion import deletion_schedule
from tenancy.models import Tenant, TenantMigration
from tenancy.purging import tenant_purge
from tenancy.renaming import tenant_rename
from tests.support import PASSWORD, Api


def show(capsys: pytest.CaptureFixture[str], slug: str = "acme") -> dict[str, Any]:
    call_command("tenant_show", slug, "--json")
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


def test_what_there_is_to_know(api: Api, tenant: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
    told = show(capsys)
    assert (told["status"], told["plan"], told["people"], told["lastSignInAt"]) == (
        "active",
        "trial",
        {"active": 2},
        None,
    )
    assert (told["seats"]["used"], told["seats"]["limit"], told["schemaCurrent"]) == (2, None, True)
    assert told["tables"] > 30
    assert told["sizeBytes"] > 100_000
    api.post("/auth/login", {"email": "admin@acme.test", "password": PASSWORD, "tenantSlug": "acme"})
    assert show(capsys)["lastSignInAt"] is not None


def test_what_goes_wrong_in_it(tenant: Tenant, other_tenant: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
    for owner, error in ((tenant, "SMTPDataError"), (other_tenant, "Foreign")):
        OutboxRow.objects.create(
            tenant_id=owner.id, entry_id=uuid4(), key="k", reaction="app.mail", state="dead", last_error=error
        )
    Tenant.objects.filter(pk=tenant.pk).update(schema_fingerprint="old")
    TenantMigration.objects.create(
        tenant_id=tenant.id, fingerprint="x", state="failed", error="Boom", started_at=timezone.now()
    )
    told = show(capsys)
    assert (told["deadLetters"], [one["error"] for one in told["lastErrors"]]) == (1, ["SMTPDataError"])
    assert (told["schemaCurrent"], told["migration"]["error"]) == (False, "Boom")
    call_command("tenant_show", "acme")
    said = capsys.readouterr().out
    assert "behind; the last attempt failed: Boom" in said
    assert "SMTPDataError" in said
    assert "Foreign" not in said


def test_it_is_found_by_a_former_slug_and_by_its_id(tenant: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
    tenant_rename(tenant_id=tenant.id, slug="apex")
    assert show(capsys, "acme")["slug"] == show(capsys, str(tenant.id))["slug"] == "apex"
    assert show(capsys, "apex")["formerSlugs"] == ["acme"]


@pytest.mark.commits
def test_one_that_is_going_and_one_that_is_gone(tenant: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
    now = timezone.now() - timedelta(minutes=1)
    deletion_schedule(tenant_id=tenant.id, reason="they left", days=0, now=now)
    told = show(capsys)
    assert (told["status"], told["deletionReason"], told["deletionAt"] is None) == (
        "pending_deletion",
        "they left",
        False,
    )
    tenant_purge(tenant_id=tenant.id)
    told = show(capsys, "acme")
    assert (told["status"], told["tables"], told["people"], told["purgedAt"] is None) == ("deleted", 0, {}, False)
    call_command("tenant_show", str(tenant.id))
    assert "purged" in capsys.readouterr().out


@pytest.mark.as_owner
@pytest.mark.commits
@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("ALTER TABLE {schema}.accounts_user DROP COLUMN last_sign_in_at CASCADE", "ProgrammingError: column"),
        ("DROP SCHEMA {schema} CASCADE", "There is no schema."),
    ],
)
def test_one_that_is_broken_is_shown_all_the_same(
    tenant: Tenant, capsys: pytest.CaptureFixture[str], broken: str, said: str
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(broken.format(schema=tenant.schema_name))
    told = show(capsys)
    assert (told["slug"], told["people"]) == ("acme", {})
    assert said in told["unreadable"]


def test_an_unknown_one(database: None) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("tenant_show", "nobody")
    assert refused.value.returncode == 2


@pytest.mark.commits
def test_the_command_as_a_process(manage: Any, tenant: Tenant) -> None:
    done = manage("tenant_show", "acme")
    assert done.returncode == 0
    assert "slug             acme\n" in done.stdout
    assert manage("tenant_show", "nobody").returncode == 2
