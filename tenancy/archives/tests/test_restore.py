"""Backup, and restore into a living database: all of it comes back, and nobody else notices."""

import json
import stat
import subprocess
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.db import connection
from django.utils import timezone

from accounts.directory.models import DirectoryEntry
from accounts.models import LinkToken
from accounts.roles import Role
from accounts.services.links import link_create
from accounts.tests.test_erasure import TRACES, erased, everything_stored, places_of, zebedee
from billing.models import BillingAccount, BillingChange
from notifications.models import Delivery, Digest, Notification
from platform_site.binding import bind
from platform_site.ids import uuid7
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from platform_site.tenant_rows import tenant_rows
from tenancy.archives import backing_up, restoring
from tenancy.archives.backing_up import backup
from tenancy.archives.container import Archive, ArchiveRefused
from tenancy.archives.programs import find_program, server_version
from tenancy.archives.reading import sums_of
from tenancy.archives.restoring import plan_restore, restore
from tenancy.archives.settling import EPOCHS_BEYOND
from tenancy.archives.tests.support import Manage, drop, live_a_little, register, said, sums
from tenancy.erasures.models import Erasure
from tenancy.erasures.services import erasures_note
from tenancy.migrating.history import migrations_fingerprint
from tenancy.models import Domain, Tenant
from tenancy.provisioning import locks
from tenancy.provisioning.reaper import Reaped, reap
from tenancy.provisioning.schemas import TENANT_SCHEMA, schemas_like
from tenancy.registration import tenant_register
from tenancy.tests.catalogue import catalogue, execute, schema_exists, somebody_else
from tests.support import (
    COMPANY,
    PASSWORD,
    Api,
    data,
    error,
    finishes_before_kill,
    scaled,
    signed_in,
    threads_close_connections,
)

__all__ = ["zebedee"]
pytestmark = [pytest.mark.commits, pytest.mark.as_owner, pytest.mark.timeout(600)]
# A restore ends sessions and says in the journal that it was.
TOUCHED = ("accounts_session", "journal_journalentry")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "acme.zip"


def backed_up(tenant: Tenant, file: Path) -> Path:
    backup(tenant=tenant.ref, path=file, force=True)
    return file


def restored(file: Path, **options: Any) -> Tenant:
    with Archive(file) as archive:
        return restore(plan_restore(archive, **options)).tenant


def refused(file: Path, **options: Any) -> str:
    with pytest.raises(ArchiveRefused) as raised, Archive(file) as archive:
        restore(plan_restore(archive, **options))
    return str(raised.value)


def everything() -> dict[str, Any]:
    """All of the database, to see that nothing was touched."""
    schemas = [*schemas_like(TENANT_SCHEMA), "public"]
    return {"schemas": schemas} | {name: sums(name) for name in schemas}


@pytest.mark.timeout(1200)
def test_one_of_many_comes_back_row_for_row_and_the_others_notice_nothing(
    manage: Manage, alice: Api, bob: Api, tenant: Tenant, file: Path
) -> None:
    channel = live_a_little(alice, bob)
    for number in range(scaled(3, 48)):
        tenant_register(company_name="Many", slug=f"many-{number}", admin_email="a@many.test", admin_password=PASSWORD)
    dispatcher.drain()
    others = {other.slug: other for other in Tenant.objects.exclude(pk=tenant.pk)}
    before = sums(tenant.schema_name)
    unread = data(bob.get("/chat/unread-count"))
    messages = data(alice.get(f"/chat/channels/{channel}/messages"))
    others_before = {slug: sums(other.schema_name) for slug, other in others.items()}
    structure = catalogue(tenant.schema_name)

    report = said(manage("tenant_backup", COMPANY, "--to", str(file), "--json"))
    assert (report["written"], report["bytes"]) == (True, file.stat().st_size)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    drop(tenant)
    assert error(Api().post("/auth/login", sign_in("admin")))[0] == 401
    report = said(manage("tenant_restore", str(file), "--json"))
    assert (report["restored"], report["replaces"], report["migrated"]) == (True, False, [])

    back = Tenant.objects.get(slug=COMPANY)
    after = sums(back.schema_name)
    assert without(after, *TOUCHED) == without(before, *TOUCHED)
    assert after["journal_journalentry"][0] == before["journal_journalentry"][0] + 1
    assert catalogue(back.schema_name) == structure
    assert {slug: sums(other.schema_name) for slug, other in others.items()} == others_before
    assert reap() == Reaped()

    again = Api()
    again.token = data(again.post("/auth/login", sign_in("admin")))["accessToken"]
    assert data(again.get(f"/chat/channels/{channel}/messages")) == messages
    assert data(signed_in(back, "user@acme.test").get("/chat/unread-count")) == unread
    assert unread["unreadCount"] == 2
    # What is new is numbered behind what came back.
    assert data(again.post(f"/chat/channels/{channel}/messages", {"content": "after"}), 201)["seq"] == 9
    person = data(again.post("/users", {"email": "new@acme.test"}), 201)
    assert person["userId"] == before["accounts_user.id"] + 1


def sign_in(who: str) -> dict[str, str]:
    return {"email": f"{who}@acme.test", "password": PASSWORD, "tenantSlug": COMPANY}


def without(found: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in names}


def test_a_living_tenant_goes_back_and_keeps_what_is_not_its_own(
    alice: Api, bob: Api, tenant: Tenant, file: Path
) -> None:
    channel = live_a_little(alice, bob)
    before = sums(tenant.schema_name)
    backed_up(tenant, file)
    data(alice.post(f"/chat/channels/{channel}/messages", {"content": "too much"}), 201)
    Tenant.objects.filter(pk=tenant.pk).update(name="Changed", plan="pro", slug="acme-new", suspended_reason="")
    former = tenant.schema_name
    back = restored(file, replace=True)
    back.refresh_from_db()
    assert (back.name, back.plan, back.slug) == (tenant.name, "pro", "acme-new")
    assert back.data_epoch == tenant.data_epoch + 1
    assert back.schema_fingerprint == migrations_fingerprint()
    assert without(sums(back.schema_name), *TOUCHED) == without(before, *TOUCHED)
    assert back.schema_name != former
    assert not schema_exists(former)


class TestRefused:
    @pytest.fixture(autouse=True)
    def _backed_up(self, tenant: Tenant, file: Path) -> None:
        backed_up(tenant, file)

    def test_without_an_extension_before_anything_is_touched(self, manage: Manage, file: Path) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DROP EXTENSION pg_trgm CASCADE")
        before = everything()
        answer = said(manage("tenant_restore", str(file), "--replace", "--json"), 1)
        assert "CREATE EXTENSION pg_trgm SCHEMA public;" in answer["error"]
        assert everything() == before

    def test_a_damaged_file(self, manage: Manage, file: Path) -> None:
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
        before = everything()
        assert "damaged" in said(manage("tenant_restore", str(file), "--replace", "--json"), 1)["error"]
        assert everything() == before

    def test_a_living_tenant_unless_it_is_said(self, file: Path) -> None:
        before = everything()
        assert "--replace" in refused(file)
        assert "is for one that is gone" in refused(file, as_slug="other-name", replace=True)
        assert everything() == before

    def test_a_slug_that_is_anothers_by_now(self, tenant: Tenant, file: Path) -> None:
        drop(tenant)
        tenant_register(company_name="New", slug=COMPANY, admin_email="a@new.test", admin_password=PASSWORD)
        before = everything()
        assert "another tenant's by now" in refused(file)
        assert "cannot be a slug" in refused(file, as_slug="-x-")
        assert everything() == before
        assert restored(file, as_slug="acme-again").slug == "acme-again"

    def test_a_customer_who_is_anothers_by_now(self, tenant: Tenant, other_tenant: Tenant, file: Path) -> None:
        BillingAccount.objects.create(tenant=tenant, customer_id="cus_1")
        backed_up(tenant, file)
        drop(tenant)
        BillingAccount.objects.create(tenant=other_tenant, customer_id="cus_1")
        row = restored(file)
        # One account of two would be Stripe's; who has it keeps it.
        assert not BillingAccount.objects.filter(tenant=row).exists()

    def test_while_the_database_is_behind(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tenancy.archives.manifests.public_is_current", lambda: False)
        before = everything()
        assert "migrate_all first" in refused(file, replace=True)
        assert everything() == before

    def test_rows_that_are_not_those_that_were_backed_up(
        self, file: Path, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        real = sums_of
        monkeypatch.setattr(
            backing_up, "sums_of", lambda name: {**real(name), "accounts_user": real(name)["me_storeditem"]}
        )
        backed_up(tenant, file)
        before = everything()
        assert "not those" in refused(file, replace=True)
        assert everything() == before

    def test_an_older_server(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tenancy.archives.restoring.server_version", lambda: 140000)
        assert "this server is 14" in refused(file, replace=True)


class TestOtherReleases:
    """The next release has one migration more (tenancy/tests/ahead)."""

    AHEAD = {"DJANGO_SETTINGS_MODULE": "tenancy.tests.ahead.settings"}

    @pytest.fixture
    def ahead(self, committed: str, tenant: Tenant) -> Manage:
        from tests.support import database_environment

        def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
            from tenancy.archives.tests.support import PYTHON

            return subprocess.run(
                [PYTHON, "manage.py", *arguments],
                env={**database_environment(committed), **self.AHEAD},
                capture_output=True,
                text=True,
                check=False,
                timeout=300,
            )

        return run

    def test_a_backup_of_the_release_before_is_migrated_before_it_goes_live(
        self, ahead: Manage, tenant: Tenant, file: Path
    ) -> None:
        backed_up(tenant, file)
        assert ahead("migrate_all").returncode == 0
        report = said(ahead("tenant_restore", str(file), "--replace", "--json"))
        assert report["migrated"] == ["journal.9001_ahead"]
        back, other = Tenant.objects.get(slug=COMPANY), Tenant.objects.get(slug="globex")
        assert back.schema_fingerprint == other.schema_fingerprint != migrations_fingerprint()
        assert execute(back.schema_name, "SELECT to_regclass('ahead_marker')::text") == [("ahead_marker",)]

    def test_one_of_the_next_release_is_refused(self, ahead: Manage, tenant: Tenant, file: Path) -> None:
        assert ahead("migrate_all").returncode == 0
        said(ahead("tenant_backup", COMPANY, "--to", str(file), "--json"))
        before = everything()
        assert "journal.9001_ahead" in refused(file, replace=True)
        assert everything() == before

    def test_a_run_that_dies_before_the_swap_leaves_the_fingerprint_of_the_living(
        self, ahead: Manage, tenant: Tenant, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        backed_up(tenant, file)
        Tenant.objects.filter(pk=tenant.pk).update(schema_fingerprint="of the release before")

        def die(*_: object) -> None:
            raise ArchiveRefused("dead")

        monkeypatch.setattr("tenancy.archives.restoring._go_live", die)
        assert refused(file, replace=True) == "dead"
        tenant.refresh_from_db()
        assert tenant.schema_fingerprint == "of the release before"


class TestKilled:
    WORK = """
        from pathlib import Path
        from django.db import connection
        from tenancy.archives.container import Archive
        from tenancy.archives.restoring import plan_restore, restore

        def watch(lines, **_):
            for number, line in enumerate(lines):
                if number == {lines}:
                    os.kill(os.getpid(), signal.SIGKILL)
                yield line

        with Archive(Path("{file}")) as archive:
            restore(plan_restore(archive, replace=True), watch=watch)
    """

    # At full counts there are sixty restores.
    @pytest.mark.timeout(1800)
    def test_at_any_point_either_the_old_or_the_new_is_whole(
        self, committed: str, alice: Api, bob: Api, tenant: Tenant, other_tenant: Tenant, file: Path
    ) -> None:
        channel = live_a_little(alice, bob)
        new = without(sums(tenant.schema_name), *TOUCHED)
        backed_up(tenant, file)
        data(alice.post(f"/chat/channels/{channel}/messages", {"content": "since"}), 201)
        old, others = sums(tenant.schema_name), sums(other_tenant.schema_name)
        total = self.statements(file)
        seen = set()
        # A new process asks a few things more than this one did, so the last ones lie a little behind.
        late = range(total - 12, total + 40, 6)
        points = sorted({*range(0, total, max(1, total // scaled(5, 60))), *late})
        for statement in points:
            self.put_back(alice, channel, tenant, file, old)
            now = Tenant.objects.get(pk=tenant.pk).schema_name
            work = self.WORK.format(lines=-1, file=file)
            finished = finishes_before_kill(work, statement=statement, database=committed, as_owner=True)
            row = Tenant.objects.get(pk=tenant.pk)
            if row.schema_name == now:
                assert sums(now) == old
                seen.add("old")
            else:
                assert without(sums(row.schema_name), *TOUCHED) == new
                seen.add("new")
            if finished:
                assert statement > total
                break
            assert sums(other_tenant.schema_name) == others
            self.wait_for_the_server()
            reap()
            assert len(schemas_like(TENANT_SCHEMA)) == Tenant.objects.count()
            assert schema_exists(row.schema_name)
        assert seen == {"old", "new"}

    def test_while_rows_come_in(self, committed: str, tenant: Tenant, file: Path) -> None:
        backed_up(tenant, file)
        before = sums(tenant.schema_name)
        for lines in (1, 300, 900):
            work = self.WORK.format(lines=lines, file=file)
            assert not finishes_before_kill(work, statement=10**6, database=committed, as_owner=True)
            assert sums(tenant.schema_name) == before
        self.wait_for_the_server()
        reap()
        assert len(schemas_like(TENANT_SCHEMA)) == Tenant.objects.count()

    def statements(self, file: Path) -> int:
        """How many a restore takes on its first connection."""
        count = 0

        def counted(execute: Any, *rest: Any) -> Any:
            nonlocal count
            count += 1
            return execute(*rest)

        with connection.execute_wrapper(counted):
            restored(file, replace=True)
        return count

    def put_back(self, alice: Api, channel: str, tenant: Tenant, file: Path, old: dict[str, Any]) -> None:
        """The tenant as it was after the backup, whichever schema it has by now."""
        row = Tenant.objects.get(pk=tenant.pk)
        if row.schema_name == tenant.schema_name:
            return
        again = signed_in(row, "admin@acme.test")
        data(again.post(f"/chat/channels/{channel}/messages", {"content": "since"}), 201)
        tenant.schema_name = row.schema_name
        old.clear()
        old.update(sums(row.schema_name))

    def wait_for_the_server(self) -> None:
        """Until it noticed that the killed one's connections are gone."""
        with somebody_else() as other:
            while other.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
                [locks._ABOUT_SCHEMAS],
            ).fetchone() != (0,):
                pass


class TestErasures:
    def test_whoever_was_erased_since_is_erased_again(
        self, alice: Api, bob: Api, zebedee: Api, tenant: Tenant, file: Path
    ) -> None:
        entity = register(alice, TRACES[3], "lead-z", email=TRACES[0])
        backed_up(tenant, file)
        erased(alice, zebedee)
        data(alice.call("DELETE", f"/entity-registry/{entity}"))
        back = restored(file, replace=True)
        dispatcher.drain()
        assert places_of(TRACES, everything_stored(back.schema_name, "public")) == set()
        again = signed_in(back, "admin@acme.test")
        assert error(again.get(f"/entity-registry/{entity}"))[0] == 410

    def test_also_when_the_tenant_was_gone_in_between(
        self, alice: Api, zebedee: Api, tenant: Tenant, file: Path
    ) -> None:
        backed_up(tenant, file)
        erased(alice, zebedee)
        drop(tenant)
        with Archive(file) as archive:
            done = restore(plan_restore(archive))
        assert done.erased_again == 1
        dispatcher.drain()
        assert places_of(TRACES, everything_stored(done.tenant.schema_name, "public")) == set()

    def test_one_that_came_too_late_is_replayed_by_the_reaction(
        self, alice: Api, zebedee: Api, tenant: Tenant, file: Path
    ) -> None:
        backed_up(tenant, file)
        back = restored(file, replace=True)
        with bind(back.ref):
            erasures_note(kind="user", subject_ids=[zebedee.user.uuid])
        dispatcher.drain()
        dispatcher.drain()
        assert places_of(TRACES, everything_stored(back.schema_name, "public")) == set()


class TestDoors:
    def test_no_session_and_no_link_and_no_revoked_key_opens_again(
        self, alice: Api, bob: Api, tenant: Tenant, file: Path
    ) -> None:
        from accounts.tests.people import key_of

        key = key_of(alice, "users.view")
        kept = key_of(alice, "users.view")
        with bind(tenant.ref):
            reset = link_create(user=bob.user, kind=LinkToken.Kind.RESET_PASSWORD)
            invitation = link_create(user=bob.user, kind=LinkToken.Kind.INVITATION)
        backed_up(tenant, file)
        [row] = [
            row for row in data(alice.get("/api-keys")) if key.token.split(".")[1] in json.dumps(row).replace("-", "")
        ]
        assert alice.call("DELETE", f"/api-keys/{row['id']}").status_code == 200
        back = restored(file, replace=True)
        assert error(alice.get("/auth/me"))[0] == 401
        assert error(alice.post("/auth/refresh", {"refreshToken": alice.tokens.refresh_token}))[0] == 401
        assert error(key.get("/users"))[0] == 401
        assert kept.get("/users").status_code == 200
        with bind(back.ref):
            assert LinkToken.objects.get(pk=reset.pk).superseded_at is not None
            assert LinkToken.objects.get(pk=invitation.pk).superseded_at is None


class TestOutbox:
    def row(self, tenant: Tenant, reaction: str, **fields: Any) -> OutboxRow:
        return OutboxRow.objects.create(
            tenant_id=tenant.id, entry_id=fields.pop("entry_id", uuid7()), key="k", reaction=reaction, **fields
        )

    def left(self, tenant: Tenant) -> set[Any]:
        return set(OutboxRow.objects.filter(tenant_id=tenant.id, key="k").values_list("id", flat=True))

    def test_of_a_living_tenant_only_what_waits_now_and_has_something_to_be_about(
        self, alice: Api, tenant: Tenant, file: Path
    ) -> None:
        from platform_site.journal.models import JournalEntry

        OutboxRow.objects.all().delete()
        with bind(tenant.ref):
            entry = JournalEntry.objects.earliest("at").id
        sent = self.row(tenant, "accounts.reactions.passwords.mail_password_reset")
        waits = self.row(tenant, "accounts.reactions.passwords.mail_password_changed", entry_id=entry)
        backed_up(tenant, file)
        sent.delete()
        about_nothing = self.row(tenant, "accounts.reactions.passwords.mail_password_changed")
        job = self.row(tenant, "setup_hub.look")
        restored(file, replace=True)
        assert self.left(tenant) == {waits.id, job.id}
        assert about_nothing.id not in self.left(tenant)

    def test_of_one_that_was_gone_what_cannot_have_been_sent(self, tenant: Tenant, file: Path) -> None:
        OutboxRow.objects.all().delete()
        later, past = timezone.now() + timedelta(days=1), timezone.now() - timedelta(days=1)
        back = {
            self.row(tenant, "setup_hub.look", available_at=past, claim=uuid7()).id,
            self.row(tenant, "notifications.send_digest", available_at=later).id,
            self.row(tenant, "accounts.reactions.passwords.mail_password_changed", state="dead").id,
        }
        self.row(tenant, "notifications.send_digest", available_at=past)
        self.row(tenant, "notifications.deliver", available_at=past)
        self.row(tenant, "accounts.reactions.passwords.mail_password_changed", available_at=past)
        backed_up(tenant, file)
        drop(tenant)
        restored(file)
        assert self.left(tenant) == back
        assert not OutboxRow.objects.filter(key="k").exclude(claim=None).exists()

    def test_what_was_sent_since_is_not_sent_again(self, alice: Api, tenant: Tenant, file: Path) -> None:
        OutboxRow.objects.all().delete()
        with bind(tenant.ref):
            digests = [
                Digest.objects.create(user=alice.user, kind=Digest.Kind.SCHEDULED, due_at=timezone.now()),
                Digest.objects.create(user=alice.user, kind=Digest.Kind.HELD, due_at=timezone.now()),
            ]
            told = [Notification.objects.create(user=alice.user, event_key="x.y", title="t") for _ in range(3)]
            deliveries = [
                Delivery.objects.create(notification=told[0], channel="email"),
                Delivery.objects.create(notification=told[1], channel="email", digest=digests[0]),
                Delivery.objects.create(notification=told[2], channel="email", digest=digests[1]),
            ]
        self.row(
            tenant, "notifications.send_digest", entry_id=digests[1].id, available_at=timezone.now() + timedelta(1)
        )
        backed_up(tenant, file)
        back = restored(file, replace=True)
        with bind(back.ref):
            states = [Digest.objects.get(pk=one.pk).status for one in digests]
            ways = [Delivery.objects.get(pk=one.pk) for one in deliveries]
        assert states == ["skipped", "open"]
        assert [(way.status, way.reason) for way in ways] == [
            ("suppressed", "restored"),
            ("suppressed", "restored"),
            ("pending", ""),
        ]


class TestPublicRows:
    def test_billing_stays_as_it_is_while_the_tenant_lives(self, tenant: Tenant, file: Path) -> None:
        account = BillingAccount.objects.create(tenant=tenant, plan_id="pro")
        BillingChange.objects.create(account=account, kind="comped")
        backed_up(tenant, file)
        BillingAccount.objects.update(plan_id="max")
        BillingChange.objects.all().delete()
        restored(file, replace=True)
        assert BillingAccount.objects.get(tenant=tenant).plan_id == "max"
        assert not BillingChange.objects.exists()

    def test_and_comes_back_with_a_tenant_that_was_gone(self, tenant: Tenant, file: Path) -> None:
        account = BillingAccount.objects.create(tenant=tenant, plan_id="pro", told=["paid:in_1"])
        BillingChange.objects.create(account=account, kind="comped", by="x")
        Domain.objects.create(domain="acme.example", tenant=tenant)
        Tenant.objects.filter(pk=tenant.pk).update(status="suspended", suspended_reason="why", colors={"a": 1})
        backed_up(tenant, file)
        drop(tenant)
        back = restored(file)
        again = BillingAccount.objects.get(tenant=back)
        assert (again.plan_id, again.told, again.changes.get().kind) == ("pro", ["paid:in_1"], "comped")
        assert Domain.objects.get().tenant_id == tenant.id
        assert (back.status, back.suspended_reason, back.colors) == ("suspended", "why", {"a": 1})
        assert back.data_epoch == tenant.data_epoch + EPOCHS_BEYOND
        assert back.created_at == tenant.created_at

    def test_a_tenant_that_was_to_be_deleted_is_not_deleted_at_once(self, tenant: Tenant, file: Path) -> None:
        Tenant.objects.filter(pk=tenant.pk).update(status="pending_deletion")
        backed_up(Tenant.objects.get(pk=tenant.pk), file)
        drop(tenant)
        assert restored(file).status == "active"

    def test_a_deleted_one_that_left_its_row_needs_no_replace(self, tenant: Tenant, file: Path) -> None:
        BillingAccount.objects.create(tenant=tenant, plan_id="pro")
        backed_up(tenant, file)
        BillingAccount.objects.update(plan_id="max")
        with connection.cursor() as cursor:
            cursor.execute(f'DROP SCHEMA "{tenant.schema_name}" CASCADE')
        Tenant.objects.filter(pk=tenant.pk).update(status="deleted", slug="deleted-1", name="")
        back = restored(file)
        assert (back.slug, back.name, back.status) == (COMPANY, tenant.name, "active")
        assert BillingAccount.objects.get().plan_id == "max"

    def test_a_backup_of_before_a_table_was_there_is_restored_without_its_rows(
        self, tenant: Tenant, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        Domain.objects.create(domain="acme.example", tenant=tenant)
        with monkeypatch.context() as before:
            before.delitem(tenant_rows._entries, "tenancy.Domain")
            backed_up(tenant, file)
        drop(tenant)
        assert restored(file).slug == COMPANY
        assert not Domain.objects.exists()

    @pytest.mark.parametrize("gone", [True, False])
    def test_erasures_that_public_has_lost_come_back(self, tenant: Tenant, file: Path, gone: bool) -> None:
        with bind(tenant.ref):
            erasures_note(kind="user", subject_ids=[uuid7()])
        noted = Erasure.objects.values_list("tenant_id", "kind", "subject_id", "at").get()
        backed_up(tenant, file)
        Erasure.objects.all().delete()
        if gone:
            drop(tenant)
        restored(file, replace=not gone)
        assert Erasure.objects.values_list("tenant_id", "kind", "subject_id", "at").get() == noted

    def test_the_directory_knows_who_is_there(self, alice: Api, tenant: Tenant, file: Path) -> None:
        backed_up(tenant, file)
        since = data(alice.post("/users", {"email": "since@acme.test"}), 201)["id"]
        dispatcher.drain()
        assert DirectoryEntry.objects.filter(user_uuid=since).exists()
        restored(file, replace=True)
        dispatcher.drain()
        listed = DirectoryEntry.objects.filter(tenant_id=tenant.id)
        assert {str(entry.user_uuid) for entry in listed} == {
            str(one)
            for (one,) in execute(Tenant.objects.get(pk=tenant.pk).schema_name, "SELECT uuid FROM accounts_user")
        }


class TestArchive:
    def test_it_holds_nothing_of_anybody_else(
        self, alice: Api, bob: Api, mallory: Api, tenant: Tenant, other_tenant: Tenant, file: Path, tmp_path: Path
    ) -> None:
        live_a_little(alice, bob)
        register(mallory, "Canary Quuxington", "lead-1", email="canary@elsewhere.test")
        Tenant.objects.filter(pk=other_tenant.pk).update(name="Canary Company")
        BillingAccount.objects.create(tenant=other_tenant, plan_id="canary")
        backed_up(tenant, file)
        foreign = ("canary", "globex", str(other_tenant.id), other_tenant.id.hex, other_tenant.schema_name)
        with ZipFile(file) as archive:
            texts = {name: archive.read(name) for name in archive.namelist()}
        dump = tmp_path / "dump"
        dump.write_bytes(texts["schema.dump"])
        program = find_program("pg_restore", at_least=server_version() // 10000)
        texts["sql"] = subprocess.run([program.path, "-f", "-", str(dump)], capture_output=True, check=True).stdout
        assert b"Jane Doe 1" in texts["sql"]
        for name, text in texts.items():
            assert [word for word in foreign if word.encode().lower() in text.lower()] == [], name

    def test_schema_and_rows_are_of_one_moment(
        self, alice: Api, tenant: Tenant, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is written between the first look and the dump is in neither."""
        dumped = backing_up.dumped

        def late(*arguments: Any) -> Any:
            done = threading.Thread(target=write)
            done.start()
            done.join()
            return dumped(*arguments)

        def write() -> None:
            with threads_close_connections(), somebody_else() as other:
                other.execute(f"UPDATE \"{tenant.schema_name}\".accounts_user SET first_name = 'late'")
                other.execute("UPDATE tenancy_tenant SET name = 'late'")

        monkeypatch.setattr(backing_up, "dumped", late)
        backed_up(tenant, file)
        back = restored(file, replace=True)
        assert back.name == tenant.name
        assert execute(back.schema_name, "SELECT count(*) FROM accounts_user WHERE first_name = 'late'") == [(0,)]

    def test_a_file_that_is_there_is_kept(self, manage: Manage, tenant: Tenant, file: Path) -> None:
        file.write_text("precious")
        assert "--force" in said(manage("tenant_backup", COMPANY, "--to", str(file), "--json"), 1)["error"]
        assert "--force" in said(manage("tenant_backup", COMPANY, "--to", str(file), "--json", "--dry-run"), 1)["error"]
        assert file.read_text() == "precious"

    def test_a_dry_run_only_tells(self, manage: Manage, tenant: Tenant, file: Path, tmp_path: Path) -> None:
        assert said(manage("tenant_backup", COMPANY, "--to", str(file), "--json", "--dry-run"))["written"] is False
        assert list(tmp_path.iterdir()) == []
        backed_up(tenant, file)
        before = everything()
        told = said(manage("tenant_restore", str(file), "--replace", "--json", "--dry-run"))
        assert (told["restored"], told["replaces"], told["slug"]) == (False, True, COMPANY)
        assert everything() == before

    def test_a_tenant_that_is_not_there_is_wrong_usage(self, manage: Manage, file: Path) -> None:
        assert manage("tenant_backup", "nobody-here", "--to", str(file)).returncode == 2

    def test_somebody_who_restores_at_the_same_time_wins(
        self, tenant: Tenant, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        backed_up(tenant, file)
        with Archive(file) as archive:
            plan = plan_restore(archive, replace=True)
            restored(file, replace=True)
            before = everything()
            with pytest.raises(ArchiveRefused, match="meanwhile"):
                restore(plan)
        assert everything() == before


class TestLocks:
    """Who changes a schema's tables, and who drops it, ask for its lock first."""

    def taken(self, schema_name: str) -> bool:
        with somebody_else() as other:
            ask = "SELECT pg_try_advisory_lock(%s, %s)"
            return other.execute(ask, [locks._ABOUT_SCHEMAS, locks._number(schema_name)]).fetchone() == (False,)

    @pytest.fixture
    def seen(self, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
        """Whether the locks are taken when it matters: at the dump, and when a schema goes live."""
        found: dict[str, bool] = {}

        def watched(module: Any, name: str, schema: Callable[..., str]) -> None:
            real = getattr(module, name)

            def look(*arguments: Any) -> Any:
                found[name] = self.taken(schema(*arguments))
                return real(*arguments)

            monkeypatch.setattr(module, name, look)

        watched(backing_up, "dumped", lambda program, schema_name, moment: schema_name)
        watched(restoring, "grant_schema", lambda schema_name: schema_name)
        watched(restoring, "_go_live", lambda plan, schema_name: plan.replaced.schema_name)
        return found

    def test_are_held_by_backup_and_restore(self, seen: dict[str, bool], tenant: Tenant, file: Path) -> None:
        backed_up(tenant, file)
        restored(file, replace=True)
        assert seen == {"dumped": True, "grant_schema": True, "_go_live": True}
        assert not self.taken(Tenant.objects.get(pk=tenant.pk).schema_name)

    def test_keep_the_reaper_from_what_is_being_built(
        self, tenant: Tenant, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        reaped: list[Reaped] = []

        def reap_beside(_: str) -> None:
            def work() -> None:
                with threads_close_connections():
                    reaped.append(reap())

            thread = threading.Thread(target=work)
            thread.start()
            thread.join()

        monkeypatch.setattr(restoring, "grant_schema", reap_beside)
        backed_up(tenant, file)
        restored(file, replace=True)
        assert reaped == [Reaped()]


def test_roles_of_people_are_those_of_the_backup(alice: Api, bob: Api, tenant: Tenant, file: Path) -> None:
    backed_up(tenant, file)
    data(alice.call("PATCH", f"/users/{bob.user.id}", {"role": "manager"}))
    back = restored(file, replace=True)
    assert execute(back.schema_name, f"SELECT role FROM accounts_user WHERE id = {bob.user.id}") == [(str(Role.USER),)]
