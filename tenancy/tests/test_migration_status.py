"""Migrations of many tenants: how far they are, and that what goes wrong in one of them is that one's alone."""

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tenancy.models import SchemaTemplate, Tenant, TenantMigration
from tenancy.tests.ahead.running import Start, behind, children, ended, marked, next_release, register, wait_until
from tenancy.tests.catalogue import execute
from tests.support import Api, scaled, threads_close_connections

pytestmark = [pytest.mark.as_owner, pytest.mark.timeout(scaled(600, 3600))]
TENANTS = scaled(20, 500)


@pytest.fixture
def ahead(database: None, committed: str) -> Start:
    """Start a command of the next release on the test's database."""
    return next_release(committed)


@pytest.mark.commits
def test_killed_in_the_middle_it_is_told_and_the_next_run_finishes(ahead: Start) -> None:
    register(TENANTS - 2)
    code, status = ended(ahead("migration_status", "--json"))
    assert (code, status["current"], status["templateCurrent"]) == (2, False, False)
    assert status["tenants"] == {"current": 0, "behind": TENANTS, "running": 0, "failed": 0}

    process = ahead("migrate_all", "--json", "--workers", "2")
    wait_until(lambda: process.poll() is not None or behind() <= TENANTS * 3 // 4, 240)
    workers = children(process.pid)
    assert len(workers) == 2
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert 0 < behind() < TENANTS, "it was killed too late to prove anything"

    code, status = ended(ahead("migration_status", "--json"))
    assert (code, status["templateCurrent"]) == (2, True)
    assert 0 < status["tenants"]["current"] < TENANTS
    assert sum(status["tenants"].values()) == TENANTS

    code, report = ended(ahead("migrate_all", "--json", "--workers", "2"))
    assert (code, report["tenantsFailed"]) == (0, [])
    assert 0 < report["tenantsMigrated"] < TENANTS
    # The migration sleeps for half a second, so less was not measured.
    assert report["medianSeconds"] >= 0.5
    assert len(report["slowest"]) == min(5, report["tenantsMigrated"])
    sys.stderr.write(f"\n{TENANTS} tenants: {report['medianSeconds']} s each (median), {report['slowest']}\n")

    code, status = ended(ahead("migration_status", "--json"))
    assert (code, status["current"], status["listed"]) == (0, True, [])
    assert status["tenants"]["current"] == TENANTS
    assert not TenantMigration.objects.exclude(state="done").exists()
    assert [marked(tenant) for tenant in Tenant.objects.all()] == [(True, 1)] * TENANTS
    wait_until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in workers))


@pytest.mark.commits
def test_one_that_fails_leaves_the_others_served_and_is_served_itself(ahead: Start, alice: Api, mallory: Api) -> None:
    """During the run and after it; also the one whose schema is behind, because code and schema fit by one release."""
    execute(alice.tenant.schema_name, "CREATE TABLE ahead_marker (id int)")
    register(4)
    answers: list[int] = []
    over = threading.Event()

    def ask() -> None:
        with threads_close_connections():
            while not over.is_set():
                answers.extend(person.get("/auth/me").status_code for person in (alice, mallory))
                # The run wants a processor, too.
                over.wait(0.05)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        code, report = ended(ahead("migrate_all", "--json", "--workers", "2"))
    finally:
        over.set()
        asking.join()
    assert (code, report["tenantsMigrated"], [one["slug"] for one in report["tenantsFailed"]]) == (1, 5, ["acme"])
    assert len(answers) > 4
    assert set(answers) == {200}
    assert [person.get("/users").status_code for person in (alice, mallory)] == [200, 200]
    made = mallory.post("/users", {"email": "new@globex.test", "firstName": "N", "lastName": "N"})
    assert made.status_code == 201

    code, status = ended(ahead("migration_status", "--json"))
    assert code == 2
    assert status["tenants"] == {"current": 5, "behind": 0, "running": 0, "failed": 1}
    [failed] = status["listed"]
    assert (failed["slug"], failed["state"]) == ("acme", "failed")
    assert failed["error"] == 'ProgrammingError: relation "ahead_marker" already exists'
    assert failed["at"] is not None

    execute(alice.tenant.schema_name, "DROP TABLE ahead_marker")
    assert ended(ahead("migrate_all", "--json", "--only", "acme"))[0] == 0
    assert ended(ahead("migration_status", "--json"))[0] == 0


@pytest.mark.commits
def test_some_of_them_at_a_time(tenant: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
    register(7)
    Tenant.objects.update(schema_fingerprint="old")

    def run(*arguments: str) -> tuple[int, dict[str, Any]]:
        try:
            call_command("migrate_all", "--json", *arguments)
            code = 0
        except CommandError as refused:
            code = refused.returncode
        return code, json.loads(capsys.readouterr().out)

    def left() -> int:
        return Tenant.objects.filter(schema_fingerprint="old").count()

    code, plan = run("--dry-run", "--limit", "8")
    assert (code, plan["public"], plan["templateBuilt"], len(plan["tenants"]), left()) == (0, [], False, 8, 9)
    assert plan["tenants"][:3] == ["acme", "globex", "many-0"]
    assert run("--dry-run", "--public-only")[1]["tenants"] == []
    assert run("--dry-run", "--only", "globex")[1]["tenants"] == ["globex"]
    code, report = run("--only", "globex", "many-0")
    assert (code, report["tenantsMigrated"], left()) == (0, 2, 7)
    code, report = run("--limit", "1")
    assert (code, report["tenantsMigrated"], left()) == (0, 1, 6)
    for one in Tenant.objects.filter(schema_fingerprint="old"):
        execute(one.schema_name, f'DROP SCHEMA "{one.schema_name}" CASCADE')
    code, report = run("--stop-after-failures", "1", "--workers", "1")
    # The worker may have begun another one before it was known.
    assert (code, 1 <= len(report["tenantsFailed"]) <= 3, report["stopped"]) == (1, True, True)
    assert TenantMigration.objects.filter(state="failed").count() == len(report["tenantsFailed"])


@pytest.mark.parametrize(
    "arguments", [["--only", "nobody"], ["--limit", "0"], ["--stop-after-failures", "0"], ["--workers", "0"]]
)
def test_wrong_usage(database: None, arguments: list[str]) -> None:
    with pytest.raises(CommandError) as refused:
        call_command("migrate_all", *arguments)
    assert refused.value.returncode == 2


def status_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    try:
        call_command("migration_status", "--json", *arguments)
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, json.loads(capsys.readouterr().out)


class TestStatus:
    def test_everything_is_current(self, tenant: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
        code, status = status_of(capsys, "--all")
        assert (code, status["current"], status["public"]) == (0, True, [])
        assert [one["slug"] for one in status["listed"]] == ["acme", "globex"]

    def test_a_failure_of_an_attempt_before_the_last_release_is_over(
        self, tenant: Tenant, capsys: pytest.CaptureFixture[str]
    ) -> None:
        TenantMigration.objects.create(
            tenant_id=tenant.id, fingerprint="x", state="failed", error="Boom", started_at=timezone.now()
        )
        assert status_of(capsys)[0] == 0
        Tenant.objects.filter(pk=tenant.pk).update(schema_fingerprint="old")
        code, status = status_of(capsys)
        assert (code, status["tenants"]["failed"], status["listed"][0]["error"]) == (2, 1, "Boom")

    def test_a_template_that_is_behind_is_a_problem_by_itself(
        self, database: None, capsys: pytest.CaptureFixture[str]
    ) -> None:
        SchemaTemplate.objects.update(fingerprint="old")
        assert status_of(capsys)[0] == 2
        call_command("migrate_all", "--dry-run", "--json")
        assert json.loads(capsys.readouterr().out)["templateBuilt"] is True

    def test_public_is_named_when_it_is_behind(self, database: None, capsys: pytest.CaptureFixture[str]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE app = 'backoffice' AND name LIKE '0001%%'")
        code, status = status_of(capsys)
        assert (code, status["public"]) == (2, ["backoffice.0001_figures"])

    def test_before_anything_was_noted_everybody_is_behind(
        self, tenant: Tenant, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """As in the release that brings the table of notes."""
        Tenant.objects.update(schema_fingerprint="old")
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE tenancy_tenantmigration")
        code, status = status_of(capsys)
        assert (code, status["tenants"]["behind"]) == (2, 2)

    @pytest.mark.parametrize("status", ["provisioning", "deleted"])
    def test_one_without_a_schema_is_not_behind(
        self, tenant: Tenant, capsys: pytest.CaptureFixture[str], status: str
    ) -> None:
        Tenant.objects.filter(pk=tenant.pk).update(status=status, schema_fingerprint="old")
        assert status_of(capsys)[0] == 0

    def test_however_many_tenants_are_one_query(self, database: None, capsys: pytest.CaptureFixture[str]) -> None:
        status_of(capsys)
        many_more = scaled(1_000, 10_000)
        with CaptureQueriesContext(connection) as few:
            status_of(capsys)
        Tenant.objects.bulk_create(
            (
                Tenant(name="x", slug=f"x-{n}", schema_name=f"none-{n}", status="active", schema_fingerprint="old")
                for n in range(many_more)
            ),
            batch_size=1000,
        )
        with CaptureQueriesContext(connection) as many:
            code, status = status_of(capsys)
        assert (code, status["tenants"]["behind"], len(many)) == (2, many_more, len(few))

    def test_words_for_people(self, tenant: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
        Tenant.objects.filter(pk=tenant.pk).update(schema_fingerprint="old")
        with pytest.raises(SystemExit):
            call_command("migration_status")
        said = capsys.readouterr().out
        assert "tenants   1 current, 1 behind, 0 running, 0 failed" in said
        assert "acme" in said
