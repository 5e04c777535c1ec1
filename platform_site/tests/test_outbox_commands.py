"""What operators see of the outbox, and giving dead letters another round."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from platform_site.outbox.models import OutboxRow
from platform_site.outbox.selectors import outbox_status
from tenancy.models import Tenant
from tests.rows import row_counts


def row(tenant: Tenant | None, state: str, kind: str = "app.react", **given: Any) -> OutboxRow:
    created: OutboxRow = OutboxRow.objects.create(
        tenant_id=tenant.id if tenant else None,
        entry_id=uuid4(),
        key="k",
        reaction=kind,
        state=state,
        **{"available_at": timezone.now() - timedelta(minutes=1), **given},
    )
    return created


def states() -> dict[Any, str]:
    return dict(OutboxRow.objects.filter(key="k").values_list("id", "state"))


def run(capsys: pytest.CaptureFixture[str], command: str, *arguments: str) -> tuple[int, dict[str, Any]]:
    code = 0
    try:
        call_command(command, "--json", *arguments)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, json.loads(capsys.readouterr().out)


class TestRedrive:
    @pytest.fixture(autouse=True)
    def _dead(self, tenant: Tenant, other_tenant: Tenant) -> None:
        OutboxRow.objects.all().delete()
        self.a = row(tenant, "dead", attempts=10, last_error="SMTPDataError")
        self.b = row(other_tenant, "dead", kind="app.mail")
        self.request = row(None, "dead", kind="app.mail")
        self.parked = row(tenant, "parked")

    def alive(self) -> set[Any]:
        return {key for key, state in states().items() if state == "pending"}

    def test_all_of_them_and_nothing_that_is_parked(self, capsys: pytest.CaptureFixture[str]) -> None:
        code, done = run(capsys, "outbox_redrive")
        assert (code, done["count"], self.alive()) == (0, 3, {self.a.id, self.b.id, self.request.id})
        self.a.refresh_from_db()
        assert (self.a.attempts, states()[self.parked.id]) == (0, "parked")

    def test_a_tenants(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(capsys, "outbox_redrive", "--tenant", "acme")[1]["count"] == 1
        assert self.alive() == {self.a.id}

    def test_of_a_kind(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(capsys, "outbox_redrive", "--kind", "app.mail")[1]["count"] == 2
        assert self.alive() == {self.b.id, self.request.id}

    def test_one(self, capsys: pytest.CaptureFixture[str]) -> None:
        assert run(capsys, "outbox_redrive", "--row", str(self.b.id))[1]["count"] == 1
        assert self.alive() == {self.b.id}

    def test_a_rehearsal_lists_and_leaves_them(self, capsys: pytest.CaptureFixture[str]) -> None:
        before = states()
        code, told = run(capsys, "outbox_redrive", "--dry-run", "--tenant", "acme")
        assert (code, told["count"], states()) == (0, 1, before)
        [listed] = told["rows"]
        assert (listed["id"], listed["kind"], listed["lastError"]) == (str(self.a.id), "app.react", "SMTPDataError")

    def test_wrong_usage(self) -> None:
        with pytest.raises(CommandError) as refused:
            call_command("outbox_redrive", "--tenant", "nobody")
        assert refused.value.returncode == 2


class TestStatus:
    @pytest.fixture(autouse=True)
    def _empty(self, database: None) -> None:
        OutboxRow.objects.all().delete()

    def test_all_is_well(self, tenant: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
        row(tenant, "pending")
        row(tenant, "parked")
        row(tenant, "pending", queue=2, available_at=timezone.now() + timedelta(days=1))
        code, told = run(capsys, "outbox_status")
        assert (code, told["parked"], told["dead"], told["isLate"]) == (0, 1, 0, False)
        queues = {one["queue"]: (one["due"], one["waiting"]) for one in told["queues"]}
        assert queues == {"urgent": (0, 0), "default": (1, 0), "bulk": (0, 1)}

    def test_dead_letters_are_a_problem(self, tenant: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
        row(tenant, "dead")
        code, told = run(capsys, "outbox_status")
        assert (code, told["dead"], told["deadByKind"]) == (2, 1, {"app.react": 1})

    def test_being_late_is_a_problem(self, tenant: Tenant, capsys: pytest.CaptureFixture[str]) -> None:
        row(tenant, "pending", available_at=timezone.now() - timedelta(minutes=10))
        assert run(capsys, "outbox_status")[0] == 2
        code, told = run(capsys, "outbox_status", "--late", "3600")
        assert (code, told["isLate"]) == (0, False)

    def test_it_is_two_queries(self, tenant: Tenant, django_assert_num_queries: Any) -> None:
        for number in range(10):
            row(tenant, ("dead", "parked", "pending")[number % 3], kind=f"app.{number}")
        with django_assert_num_queries(2):
            outbox_status()


@pytest.mark.commits
@pytest.mark.timeout(120)
def test_the_commands_and_their_exit_codes(manage: Any, tenant: Tenant) -> None:
    OutboxRow.objects.all().delete()
    assert manage("outbox_status").returncode == 0
    row(tenant, "dead")
    status = manage("outbox_status")
    assert (status.returncode, "dead letters 1" in status.stdout) == (2, True)
    before = row_counts()
    assert manage("outbox_redrive", "--dry-run").stdout.endswith(
        "1 dead letters would get another round of attempts.\n"
    )
    assert (row_counts(), set(states().values())) == (before, {"dead"})
    done = manage("outbox_redrive", "--tenant", "acme", "--json")
    assert (done.returncode, json.loads(done.stdout)["count"]) == (0, 1)
    assert manage("outbox_redrive", "--row", "no-id").returncode == 2
