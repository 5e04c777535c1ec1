"""A tenant that is going to be deleted is closed; until its date all can come back, afterwards nothing is left."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.utils import timezone

from accounts.directory.models import DirectoryEntry
from accounts.models import User
from accounts.staff.models import StaffAct
from billing.models import BillingAccount, BillingChange, CheckoutAttempt, StripeEvent
from platform_site.binding import bind
from platform_site.errors import CONFLICT, VALIDATION_FAILED, PlatformError
from platform_site.journal.models import JournalEntry
from platform_site.outbox.dispatcher import drain
from platform_site.outbox.models import OutboxRow
from platform_site.owner import as_owner, may_be_owner
from platform_site.tenant_rows import AtPurge, tenant_rows
from platform_site.tenants import TenantUnavailable, find_tenant, working_tenant
from tenancy import purging
from tenancy.deletion import deletion_schedule, deletion_undo
from tenancy.models import FormerSlug, Tenant
from tenancy.purging import due_tenants, tenant_purge
from tenancy.services import tenant_reactivate, tenant_suspend
from tenancy.slugs import slug_check
from tenancy.tasks import purge_due
from tenancy.tests.catalogue import schema_exists, somebody_else
from tests.rows import row_counts
from tests.support import PASSWORD, Api, at_once, error, finishes_before_kill


def schedule(tenant: Tenant, **given: Any) -> Tenant:
    return deletion_schedule(tenant_id=tenant.id, **{"reason": "they left", "days": 30, **given})


def overdue(tenant: Tenant) -> None:
    schedule(tenant, days=0, now=timezone.now() - timedelta(minutes=1))


def status_of(tenant: Tenant) -> str:
    return str(Tenant.objects.values_list("status", flat=True).get(pk=tenant.pk))


def sign_in(api: Api, slug: str = "acme") -> Any:
    return api.post("/auth/login", {"email": "admin@acme.test", "password": PASSWORD, "tenantSlug": slug})


def keys_of(tenant: Tenant) -> list[str]:
    with bind(tenant.ref):
        return list(JournalEntry.objects.filter(key__contains="deletion").order_by("id").values_list("key", flat=True))


class TestClosed:
    def test_nobody_gets_in_and_the_answer_says_why(self, api: Api, alice: Api, mallory: Api, tenant: Tenant) -> None:
        refresh = {"refreshToken": alice.tokens.refresh_token}
        assert alice.get("/tenants/me").status_code == 200
        schedule(tenant)
        closed = (403, "tenant_pending_deletion")
        assert error(alice.get("/tenants/me")) == closed
        assert error(sign_in(api)) == closed
        assert error(api.post("/auth/refresh", refresh)) == closed
        assert mallory.get("/tenants/me").status_code == 200

    def test_its_page_says_that_nobody_can_sign_in(self, api: Api, tenant: Tenant) -> None:
        schedule(tenant)
        assert api.get("/tenants/by-slug/acme").json()["data"]["loginEnabled"] is False

    def test_its_slug_stays_taken(self, tenant: Tenant) -> None:
        schedule(tenant)
        assert slug_check("acme").reason == "taken"

    def test_its_tasks_fail_and_its_reactions_wait(self, tenant: Tenant) -> None:
        schedule(tenant)
        with pytest.raises(TenantUnavailable):
            working_tenant(tenant.id)
        row = OutboxRow.objects.create(tenant_id=tenant.id, entry_id=uuid4(), key="k", reaction="r")
        drain()
        assert OutboxRow.objects.get(pk=row.pk).state == "parked"

    def test_its_administrators_are_told_although_it_is_closed(self, tenant: Tenant) -> None:
        schedule(tenant)
        drain()
        [told] = mail.outbox
        assert (told.to, told.subject) == (["admin@acme.test"], "Your workspace is going to be deleted")
        assert "they left" in told.body
        deletion_undo(tenant_id=tenant.id)
        drain()
        assert mail.outbox[-1].subject == "Your workspace is not going to be deleted"
        assert keys_of(tenant) == ["tenancy.deletion_scheduled", "tenancy.deletion_undone"]

    @pytest.mark.parametrize(("reason", "days"), [("", 30), ("x" * 201, 30), ("x", -1), ("x", 366)])
    def test_a_reason_and_a_sensible_date_are_needed(self, tenant: Tenant, reason: str, days: int) -> None:
        with pytest.raises(PlatformError) as refused:
            schedule(tenant, reason=reason, days=days)
        assert refused.value.code is VALIDATION_FAILED
        assert status_of(tenant) == "active"


class TestUndone:
    def test_everything_is_as_it_was(self, alice: Api, tenant: Tenant) -> None:
        schedule(tenant)
        row = OutboxRow.objects.create(tenant_id=tenant.id, entry_id=uuid4(), key="k", reaction="r", state="parked")
        deletion_undo(tenant_id=tenant.id)
        assert alice.get("/tenants/me").status_code == 200
        assert OutboxRow.objects.get(pk=row.pk).state == "pending"
        tenant.refresh_from_db()
        assert (tenant.status, tenant.deletion_at, tenant.deletion_reason) == ("active", None, "")

    def test_one_that_was_suspended_is_suspended_again(self, tenant: Tenant) -> None:
        tenant_suspend(tenant_id=tenant.id, reason="abuse")
        schedule(tenant)
        # Another date does not make it forget what it was.
        schedule(tenant, days=10)
        row = OutboxRow.objects.create(tenant_id=tenant.id, entry_id=uuid4(), key="k", reaction="r", state="parked")
        assert deletion_undo(tenant_id=tenant.id).status == "suspended"
        assert OutboxRow.objects.get(pk=row.pk).state == "parked"
        assert tenant_reactivate(tenant_id=tenant.id).status == "active"

    def test_of_one_that_is_not_scheduled_nothing_changes(self, tenant: Tenant) -> None:
        assert deletion_undo(tenant_id=tenant.id).status == "active"
        assert keys_of(tenant) == []

    def test_not_after_the_purge_has_begun(self, tenant: Tenant) -> None:
        overdue(tenant)
        purging._begin(tenant.id, timezone.now())
        with pytest.raises(PlatformError) as refused:
            deletion_undo(tenant_id=tenant.id)
        assert refused.value.code is CONFLICT
        with pytest.raises(PlatformError):
            schedule(tenant)


@pytest.mark.commits
class TestPurged:
    def test_nothing_is_left_but_a_row_without_a_name(self, alice: Api, mallory: Api, api: Api, tenant: Tenant) -> None:
        others = {name: count for name, count in row_counts().items() if name.startswith(mallory.tenant.schema_name)}
        overdue(tenant)
        DirectoryEntry.objects.create(user_uuid=uuid4(), tenant_id=tenant.id, email_hash=b"x", key_id="k", status="a")
        purged = tenant_purge(tenant_id=tenant.id)
        assert (purged.slug, purged.rows["directory.DirectoryEntry"]) == ("acme", 1)
        assert not schema_exists(tenant.schema_name)
        left = Tenant.objects.get(pk=tenant.pk)
        assert (left.status, left.name, left.slug) == ("deleted", "Deleted workspace", f"deleted-{tenant.id.hex}")
        assert find_tenant(id=tenant.id) is None
        assert error(alice.get("/tenants/me")) == (401, "session_revoked")
        assert error(sign_in(api)) == (401, "invalid_credentials")
        now = row_counts()
        assert {name: now[name] for name in others} == others
        assert mallory.get("/tenants/me").status_code == 200

    def test_rows_that_bookkeeping_needs_stay_without_what_is_the_tenants(self, tenant: Tenant) -> None:
        account, _ = BillingAccount.objects.update_or_create(
            tenant=tenant, defaults={"customer_id": "cus_1", "card_last4": "4242", "invoice_url": "https://x"}
        )
        BillingChange.objects.create(account=account, kind="comped", by="staff@platform.test")
        CheckoutAttempt.objects.create(account=account, plan_id="pro", interval="month", quantity=1, url="https://x")
        StripeEvent.objects.create(
            id="evt_1", type="t", livemode=False, created=timezone.now(), tenant_id=tenant.id, payload={"name": "Alice"}
        )
        StaffAct.objects.create(staff_id=1, staff_email="staff@platform.test", tenant_id=tenant.id, action="looked")
        overdue(tenant)
        tenant_purge(tenant_id=tenant.id)
        account.refresh_from_db()
        assert (account.customer_id, account.card_last4, account.invoice_url) == ("cus_1", "", "")
        assert BillingChange.objects.filter(account=account).count() == 1
        assert not CheckoutAttempt.objects.exists()
        assert StripeEvent.objects.get().payload == {}
        assert StaffAct.objects.count() == 1
        for rows in tenant_rows:
            if rows.at_purge is AtPurge.REMOVED:
                assert not rows.of(tenant.id).exists(), rows.label

    def test_the_slug_is_kept_back_for_ninety_days(self, api: Api, tenant: Tenant) -> None:
        overdue(tenant)
        tenant_purge(tenant_id=tenant.id)
        assert slug_check("acme").reason == "taken"
        assert error(register(api)) == (409, "slug_taken")
        FormerSlug.objects.update(until=timezone.now() - timedelta(seconds=1))
        assert slug_check("acme").available is True
        assert register(api).status_code == 201

    def test_one_that_is_not_due_is_left_alone(self, tenant: Tenant) -> None:
        for prepare in (lambda: None, lambda: schedule(tenant)):
            prepare()
            with pytest.raises(PlatformError) as refused:
                tenant_purge(tenant_id=tenant.id)
            assert refused.value.code is CONFLICT
        assert schema_exists(tenant.schema_name)
        assert status_of(tenant) == "pending_deletion"

    def test_one_that_somebody_works_on_is_left_for_the_next_run(self, tenant: Tenant) -> None:
        from tenancy.provisioning import locks

        overdue(tenant)
        lock = [locks._ABOUT_SCHEMAS, locks._number(tenant.schema_name)]
        with somebody_else() as other:
            other.execute("SELECT pg_advisory_lock(%s, %s)", lock)
            purge_due()
            assert (schema_exists(tenant.schema_name), slug_check("acme").reason) == (True, "taken")
        purge_due()
        assert not schema_exists(tenant.schema_name)

    def test_many_at_once_purge_it_once(self, tenant: Tenant) -> None:
        overdue(tenant)

        def purge(_: int) -> bool:
            try:
                tenant_purge(tenant_id=tenant.id)
            except PlatformError:
                return False
            return True

        done = at_once(4, purge)
        assert done.most_at_once > 1
        purge_due()
        assert not schema_exists(tenant.schema_name)
        assert (Tenant.objects.get(pk=tenant.pk).purged_at is not None, FormerSlug.objects.count()) == (True, 1)

    @pytest.mark.timeout(600)
    def test_killed_at_any_statement_the_next_run_finishes_and_the_slug_is_free_last(
        self, committed: str, tenant: Tenant
    ) -> None:
        overdue(tenant)
        work = "from tenancy.tasks import purge_due\npurge_due()"
        statement = 2
        while not finishes_before_kill(work, statement=statement, database=committed):
            left = Tenant.objects.get(pk=tenant.pk)
            if left.purged_at is None:
                assert left.slug == "acme"
            if schema_exists(tenant.schema_name):
                assert left.slug == "acme"
            # Each statement of a run has its turn, the first ones again and again: they are the same in each.
            statement += 3
        assert statement > 10
        left = Tenant.objects.get(pk=tenant.pk)
        assert (left.status, left.slug, left.purged_at is None) == ("deleted", f"deleted-{tenant.id.hex}", False)
        assert not schema_exists(tenant.schema_name)
        assert slug_check("acme").reason == "taken"

    def test_a_process_that_may_not_says_what_is_to_be_run(
        self, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        overdue(tenant)
        monkeypatch.setattr("tenancy.tasks.may_be_owner", lambda: False)
        purge_due()
        assert schema_exists(tenant.schema_name)
        assert [due.slug for due in due_tenants()] == ["acme"]


def register(api: Api) -> Any:
    body = {"companyName": "New", "slug": "acme", "adminEmail": "new@acme.test", "adminPassword": PASSWORD}
    return api.post("/tenants/register", body)


@pytest.mark.commits
def test_whoever_owns_the_tables_may_be_owner_and_nobody_else(database: None, settings: Any) -> None:
    assert may_be_owner() is True
    given, settings.DATABASE_OWNER = settings.DATABASE_OWNER, {}
    assert may_be_owner() is False
    settings.DATABASE_OWNER = given
    with as_owner():
        settings.DATABASE_OWNER = {}
        assert may_be_owner() is True
        settings.DATABASE_OWNER = given


@pytest.mark.commits
@pytest.mark.timeout(300)
class TestCommands:
    def test_schedule_and_undo(self, manage: Any, tenant: Tenant) -> None:
        given = ["tenant_delete", "acme", "--schedule", "--reason", "they left", "--json"]
        assert manage(*given).returncode == 2
        assert manage(*given, "--confirm", "acm").returncode == 2
        before = row_counts()
        dry = manage(*given, "--confirm", "acme", "--dry-run")
        assert (dry.returncode, json.loads(dry.stdout)["status"]) == (0, "pending_deletion")
        assert (row_counts(), status_of(tenant)) == (before, "active")
        done = manage(*given, "--confirm", "acme", "--days", "10")
        assert (done.returncode, json.loads(done.stdout)["dryRun"]) == (0, False)
        due = Tenant.objects.get(pk=tenant.pk).deletion_at
        assert due is not None
        assert timedelta(days=9) < due - timezone.now() <= timedelta(days=10)
        undone = manage("tenant_delete", "acme", "--undo")
        assert (undone.returncode, undone.stdout) == (0, "acme is active.\n")

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (["nobody", "--undo"], 2),
            (["acme"], 2),
            (["acme", "--undo", "--now"], 2),
            (["acme", "--now", "--reason", "x"], 2),
            (["acme", "--now", "--confirm", "acme"], 1),
            (["acme", "--schedule", "--confirm", "acme", "--reason", "x", "--days", "9999"], 1),
        ],
    )
    def test_refusals(self, manage: Any, tenant: Tenant, arguments: list[str], code: int) -> None:
        refused = manage("tenant_delete", *arguments)
        assert (refused.returncode, refused.stdout) == (code, "")
        assert status_of(tenant) == "active"

    def test_now(self, manage: Any, tenant: Tenant) -> None:
        given = ["tenant_delete", "acme", "--now", "--confirm", "acme", "--reason", "they left", "--json"]
        before = row_counts()
        dry = manage(*given, "--dry-run")
        assert (dry.returncode, json.loads(dry.stdout)["status"]) == (0, "deleted")
        assert row_counts() == before
        assert status_of(tenant) == "active"
        done = manage(*given)
        assert done.returncode == 0
        # The tenant's own row is not one of those that go.
        told = [json.loads(run.stdout)["rows"] for run in (dry, done)]
        assert set(told[1]) <= set(told[0]) == {rows.label for rows in tenant_rows if rows.is_purged}
        assert "tenancy.Tenant" not in told[0]
        assert not schema_exists(tenant.schema_name)

    def test_purge(self, manage: Any, tenant: Tenant, other_tenant: Tenant) -> None:
        assert manage("tenants_purge").stdout == "Nothing to purge.\n"
        overdue(tenant)
        schedule(other_tenant)
        before = row_counts()
        dry = manage("tenants_purge", "--dry-run", "--json")
        assert [one["slug"] for one in json.loads(dry.stdout)["purged"]] == ["acme"]
        assert row_counts() == before
        done = manage("tenants_purge", "--json")
        assert (done.returncode, [one["slug"] for one in json.loads(done.stdout)["purged"]]) == (0, ["acme"])
        assert (schema_exists(tenant.schema_name), schema_exists(other_tenant.schema_name)) == (False, True)


def test_people_of_another_tenant_are_untouched(tenant: Tenant, other_tenant: Tenant) -> None:
    schedule(tenant)
    with bind(other_tenant.ref):
        assert User.objects.count() == 2
    assert working_tenant(other_tenant.id).slug == "globex"
