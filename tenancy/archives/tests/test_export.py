"""Export, and import into a fresh installation: the API answers as before, and nothing of anybody else comes along."""

import json
import os
import re
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import orjson
import pytest
from django.core.management import call_command
from django.db import connection

from accounts.models import Avatar, SecondFactor, User
from accounts.services.avatars import avatar_store
from accounts.tests.pictures import picture
from accounts.tests.second_factors import enrolled
from notifications.email_settings.smtp_server import server_of
from notifications.models import SmtpServer, Suppression
from notifications.services.suppressing import address_hash, suppress
from platform_site.binding import bind
from platform_site.keys import seal
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from tenancy.archives import importing
from tenancy.archives.container import Archive, ArchiveRefused, ArchiveWriter
from tenancy.archives.exporting import export
from tenancy.archives.importing import Imported, import_tenant, plan_import
from tenancy.archives.manifests import ExportManifest
from tenancy.archives.tests.support import PYTHON, Manage, drop, live_a_little, register, said, sums
from tenancy.migrating.history import migrations_fingerprint
from tenancy.models import Tenant
from tenancy.provisioning.reaper import reap
from tenancy.provisioning.schemas import TENANT_SCHEMA, schemas_like
from tenancy.registration import tenant_register
from tenancy.tests.catalogue import catalogue, execute
from tests.support import (
    COMPANY,
    PASSWORD,
    Api,
    create_database,
    data,
    database_environment,
    drop_database,
    point_at,
    scaled,
    signed_in,
)

pytestmark = [pytest.mark.commits, pytest.mark.as_owner, pytest.mark.timeout(600)]
PASSPHRASE = "a sentence for archives"
# Compared before and after; times of reading and of the moment are not in them.
ASKED = (
    "/users?limit=100",
    "/notifications",
    "/chat/channels",
    "/chat/channels/{channel}/messages",
    "/chat/unread-count",
    "/entity-registry/search?q=jane",
    "/platform-events/{entity}",
    "/org-settings",
    "/me/action-items",
    "/profiles",
)
Fresh = Callable[[], None]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "acme.zip"


@pytest.fixture(scope="module")
def installation(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """A database with all migrations and no tenant, to copy."""
    name, before = f"empty_{uuid4().hex[:12]}", os.environ["TEST_DATABASE_NAME"]
    with django_db_blocker.unblock():
        create_database(name, "template0")
        point_at(name)
        call_command("migrate_all", verbosity=0)
        point_at(before)
    yield name
    drop_database(name)


@pytest.fixture
def fresh(installation: str, committed: str, database: None) -> Iterator[Fresh]:
    """Turns to a second, empty installation when it is called."""
    name = f"own_{uuid4().hex[:12]}"

    def turn() -> None:
        create_database(name, installation)
        point_at(name)

    yield turn
    connection.close()
    point_at(committed)
    drop_database(name)


def exported(tenant: Tenant, file: Path, **options: Any) -> Path:
    export(tenant=tenant.ref, path=file, force=True, **options)
    return file


def imported(file: Path, **options: Any) -> Imported:
    with Archive(file) as archive:
        return import_tenant(plan_import(archive, **options))


def refused(file: Path, **options: Any) -> str:
    before = schemas_like(TENANT_SCHEMA), Tenant.objects.count()
    with pytest.raises(ArchiveRefused) as raised:
        imported(file, **options)
    assert (schemas_like(TENANT_SCHEMA), Tenant.objects.count()) == before
    return str(raised.value)


def answers(person: Api, channel: str, entity: str) -> dict[str, Any]:
    found = {}
    for path in ASKED:
        answer = person.get(path.format(channel=channel, entity=entity))
        body = answer.json()
        body.pop("requestId", None)
        found[path] = (answer.status_code, stable(body))
    return found


def stable(value: Any) -> Any:
    """Without what moves by itself, and what names the installation."""
    if isinstance(value, dict):
        return {name: stable(item) for name, item in value.items() if name not in {"lastSignInAt", "avatarUrl"}}
    return [stable(item) for item in value] if isinstance(value, list) else value


def test_a_fresh_installation_answers_as_the_one_before(
    alice: Api, bob: Api, tenant: Tenant, file: Path, fresh: Fresh
) -> None:
    channel = live_a_little(alice, bob)
    entity = register(alice, "Jane Late", "lead-9")
    event = {
        "app": "sales",
        "category": "call",
        "action": "made",
        "occurredAt": "2026-01-01T10:00:00Z",
        "canonicalId": entity,
        "metadata": {"n": 1.5, "big": 9007199254740993, "text": 'ümlaut \\ " \n'},
    }
    data(alice.post("/platform-events", event), 201)
    dispatcher.drain()
    assert data(alice.call("PUT", "/org-settings/company.name", {"value": "Acme & Söhne"})) is not None
    before, others = answers(alice, channel, entity), answers(bob, channel, entity)
    structure, rows = catalogue(tenant.schema_name), sums(tenant.schema_name)
    exported(tenant, file)
    fresh()
    done = imported(file)
    assert (done.tenant.id, done.migrated) == (tenant.id, [])
    dispatcher.drain()
    again, theirs = (signed_in(done.tenant, f"{who}@acme.test") for who in ("admin", "user"))
    assert answers(again, channel, entity) == before
    assert answers(theirs, channel, entity) == others
    assert all(status == 200 for status, _ in before.values()), before
    assert data(Api().post("/auth/login", {"email": "user@acme.test", "password": PASSWORD, "tenantSlug": COMPANY}))
    assert data(again.post("/users", {"email": "next@acme.test"}), 201)["userId"] == rows["accounts_user.id"] + 1
    assert without_numbers(catalogue(done.tenant.schema_name)) == without_numbers(structure)
    assert len(data(again.get("/auth/sessions"))) == 1


def without_numbers(lines: list[tuple[str | None, ...]]) -> list[tuple[str | None, ...]]:
    """A sequence's own place in its numbers is no structure."""
    return sorted((line for line in lines if line[0] != "sequence"), key=str)


class TestSecrets:
    @pytest.fixture
    def with_secrets(self, alice: Api, bob: Api, tenant: Tenant) -> Any:
        from notifications.email_settings.smtp_server import password_place

        app = enrolled(bob)
        with bind(tenant.ref):
            row = SmtpServer(id=1, host="mail.acme.test", port=587, username="u", security="starttls")
            row.sealed_password = seal(b"hunter2-canary", password_place(row))
            row.save()
        return app

    def test_they_are_left_out_and_listed(self, with_secrets: Any, tenant: Tenant, file: Path, fresh: Fresh) -> None:
        exported(tenant, file)
        with ZipFile(file) as archive:
            manifest = orjson.loads(archive.read("manifest.json"))
            whole = b"".join(archive.read(name) for name in archive.namelist())
        left = {item["what"] for item in manifest["leftOut"]}
        assert left >= {"accounts.SecondFactor", "notifications.SmtpServer.sealed_password", "accounts.Session"}
        assert with_secrets.secret.encode() not in whole
        assert b"hunter2-canary" not in whole
        fresh()
        done = imported(file)
        with bind(done.tenant.ref):
            assert SmtpServer.objects.get().sealed_password is None
            assert not SecondFactor.objects.exists()
        assert data(Api().post("/auth/login", sign_in("user")))["accessToken"]

    def test_with_the_passphrase_they_are_sealed_anew(
        self, with_secrets: Any, tenant: Tenant, file: Path, fresh: Fresh, settings: Any
    ) -> None:
        exported(tenant, file, passphrase=PASSPHRASE)
        with ZipFile(file) as archive:
            whole = b"".join(archive.read(name) for name in archive.namelist())
        assert with_secrets.secret.encode() not in whole
        assert b"hunter2-canary" not in whole
        fresh()
        settings.ENCRYPTION_KEYS = [("other", "k" * 40)]
        settings.TOKEN_KEYS = [("other", "t" * 40)]
        assert "passphrase is not" in refused(file, passphrase="another sentence")
        done = imported(file, passphrase=PASSPHRASE)
        with bind(done.tenant.ref):
            assert server_of(SmtpServer.objects.get()).password == "hunter2-canary"
        challenge = data(Api().post("/auth/login", sign_in("user")))
        assert challenge["mfaRequired"] is True

    def test_an_archive_without_them_says_so(self, tenant: Tenant, file: Path, fresh: Fresh) -> None:
        exported(tenant, file)
        fresh()
        assert "no secrets" in refused(file, passphrase=PASSPHRASE)

    def test_a_passphrase_is_long_and_never_an_argument(self, manage: Manage, tenant: Tenant, file: Path) -> None:
        assert manage("tenant_export", COMPANY, "--to", str(file), "--with-secrets").returncode == 2
        short = file.with_name("short")
        short.write_text("short\n")
        options = ["--with-secrets", "--passphrase-file", str(short), "--json"]
        short_one = manage("tenant_export", COMPANY, "--to", str(file), *options)
        assert (short_one.returncode, file.exists()) == (2, False)
        short.write_text(PASSPHRASE + "\n")
        assert said(manage("tenant_export", COMPANY, "--to", str(file), *options))["secrets"] is True


def sign_in(who: str) -> dict[str, str]:
    return {"email": f"{who}@acme.test", "password": PASSWORD, "tenantSlug": COMPANY}


class TestInstallation:
    def test_pictures_and_suppressions_follow_this_installations_keys(
        self, alice: Api, tenant: Tenant, file: Path, fresh: Fresh, settings: Any
    ) -> None:
        with bind(tenant.ref):
            address = avatar_store(user=alice.user, image=picture())
            User.objects.filter(pk=alice.user.pk).update(avatar_url=address)
            suppress("bounced@else.test", Suppression.Reason.HARD_BOUNCE, Suppression.Scope.ALL)
            image = bytes(Avatar.objects.get().image)
        exported(tenant, file)
        with ZipFile(file) as archive:
            [name] = [name for name in archive.namelist() if name.startswith("files/")]
            assert archive.read(name) == image
        fresh()
        settings.TOKEN_KEYS, settings.PUBLIC_URL = [("other", "t" * 40)], "https://new.example"
        done = imported(file)
        with bind(done.tenant.ref):
            assert bytes(Suppression.objects.get().address_hash) == address_hash("bounced@else.test")
            url = User.objects.get(avatar__isnull=False).avatar_url
            assert bytes(Avatar.objects.get().image) == image
        assert url.startswith("https://new.example/avatars/")
        assert Api().client.get(url.removeprefix("https://new.example")).content == image

    def test_a_tenant_that_is_here_is_not_imported_twice(self, tenant: Tenant, file: Path) -> None:
        dispatcher.drain()
        exported(tenant, file)
        assert "taken" in refused(file)
        assert "are here already" in refused(file, slug="acme-two")
        assert "cannot be a slug" in refused(file, slug="-")

    def test_nor_a_second_time_before_any_worker_was_there(self, tenant: Tenant, file: Path, fresh: Fresh) -> None:
        exported(tenant, file)
        fresh()
        imported(file)
        assert "are here already" in refused(file, slug="acme-two")

    def test_an_id_that_is_taken_is_another_one_here(self, tenant: Tenant, file: Path) -> None:
        exported(tenant, file)
        drop(tenant)
        Tenant.objects.create(id=tenant.id, name="x", slug="gone-1", schema_name="gone-1", status="deleted")
        done = imported(file)
        assert done.tenant.id != tenant.id
        told = "SELECT DISTINCT subject_id FROM journal_journalentry WHERE subject_type = 'tenant'"
        assert execute(done.tenant.schema_name, told) == [(str(done.tenant.id),)]
        assert data(signed_in(done.tenant, "admin@acme.test").get("/auth/me"))

    def test_nothing_of_what_waited_is_sent_by_the_new_one(self, tenant: Tenant, file: Path, fresh: Fresh) -> None:
        assert OutboxRow.objects.filter(tenant_id=tenant.id).exists()
        exported(tenant, file)
        fresh()
        imported(file)
        kinds = set(OutboxRow.objects.values_list("reaction", flat=True))
        assert kinds == {
            "chat.retain",
            "events.retain",
            "action_items.retain",
            "notifications.retain",
            "setup_hub.look",
        }


class TestReleases:
    def ahead(self, name: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [PYTHON, "manage.py", *arguments],
            env={**database_environment(name), "DJANGO_SETTINGS_MODULE": "tenancy.tests.ahead.settings"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def test_an_archive_of_the_release_before_is_loaded_and_migrated_on(
        self, committed: str, tenant: Tenant, file: Path
    ) -> None:
        exported(tenant, file)
        drop(tenant)
        assert self.ahead(committed, "migrate_all").returncode == 0
        report = said(self.ahead(committed, "tenant_import", str(file), "--json"))
        assert (report["imported"], report["migrated"]) == (True, ["journal.9001_ahead"])
        back, other = Tenant.objects.get(slug=COMPANY), Tenant.objects.get(slug="globex")
        assert back.schema_fingerprint == other.schema_fingerprint != migrations_fingerprint()
        assert catalogue(back.schema_name)[0] == catalogue(other.schema_name)[0]
        assert execute(back.schema_name, "SELECT to_regclass('ahead_marker')::text") == [("ahead_marker",)]

    def test_one_of_the_next_release_is_refused(self, committed: str, tenant: Tenant, file: Path) -> None:
        assert self.ahead(committed, "migrate_all").returncode == 0
        said(self.ahead(committed, "tenant_export", COMPANY, "--to", str(file), "--json"))
        drop(Tenant.objects.get(pk=tenant.pk))
        assert "journal.9001_ahead" in refused(file)

    def test_rows_that_a_migration_makes_are_not_there_twice(
        self, alice: Api, tenant: Tenant, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """They are among those that come, as the tenant has them by now."""
        person = (
            "INSERT INTO accounts_customprofile SELECT * FROM json_populate_record(NULL::accounts_customprofile, %s)"
        )
        data(alice.post("/profiles", {"name": "Seeded", "permissions": [1]}), 201)
        [(row,)] = execute(tenant.schema_name, "SELECT row_to_json(p)::text FROM accounts_customprofile p")
        make = importing._make_at

        def make_with_rows(schema_name: str, migrations: list[str]) -> None:
            make(schema_name, migrations)
            execute(schema_name, person.replace("%s", f"'{row}'"))

        monkeypatch.setattr(importing, "_make_at", make_with_rows)
        exported(tenant, file)
        drop(tenant)
        back = imported(file).tenant
        assert execute(back.schema_name, "SELECT count(*) FROM accounts_customprofile") == [(1,)]

    def test_a_tenant_that_is_behind_is_not_exported(self, tenant: Tenant, file: Path) -> None:
        Tenant.objects.filter(pk=tenant.pk).update(schema_fingerprint="old")
        with pytest.raises(ArchiveRefused, match="migrate_all"):
            exported(tenant, file)
        assert not file.exists()

    def test_a_state_that_never_was_is_refused(self, tenant: Tenant, file: Path) -> None:
        bent = rewritten(exported(tenant, file), lambda said: said["migrations"].remove("accounts.0002_user_details"))
        drop(tenant)
        assert "no state" in refused(bent)


def rewritten(file: Path, change: Callable[[dict[str, Any]], Any], **parts: bytes) -> Path:
    """The same archive with another manifest, and other parts, sealed as if it had been written so."""
    bent = file.with_name("bent.zip")
    with ZipFile(file) as source, ArchiveWriter(bent, force=True) as target:
        manifest = orjson.loads(source.read("manifest.json"))
        for name in source.namelist():
            if name != "manifest.json":
                with target.part(name) as part:
                    for line in parts.get(name.replace("/", "__"), source.read(name)).splitlines(keepends=True):
                        part.write(line)
        change(manifest)
        for name, facts in target.parts.items():
            rows = manifest["parts"][name].get("rows")
            manifest["parts"][name] = {"bytes": facts.bytes, "sha256": facts.sha256, "rows": rows}
        import msgspec

        target.finish(msgspec.convert(manifest, ExportManifest))
    return bent


class TestForeignArchives:
    @pytest.fixture
    def whole(self, tenant: Tenant, file: Path) -> Path:
        exported(tenant, file)
        drop(tenant)
        return file

    def test_the_helper_of_these_tests_bends_nothing_by_itself(self, whole: Path) -> None:
        assert imported(rewritten(whole, lambda _: None)).tenant.slug == COMPANY

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            (lambda said: said.update(format=2), "format 2"),
            (lambda said: said.update(kind="tenant-backup"), "is a tenant-backup"),
            (lambda said: said["models"]["accounts.User"].update(table="tenancy_tenant"), "does not take"),
            (
                lambda said: said["models"].update({"accounts.Session": said["models"]["accounts.User"]}),
                "does not take",
            ),
            (lambda said: said["models"].pop("accounts.User"), "lacks the tenant's profile or its people"),
            (lambda said: said["profile"].pop("name"), "lacks the tenant's profile or its people"),
            (lambda said: said["profile"].update(name="x" * 200), "profile is not as expected"),
            (lambda said: said["models"]["accounts.User"]["columns"].append("is_god"), "unknown: is_god"),
            (lambda said: said["parts"]["data/accounts.User.jsonl"].update(rows=9), "not the 9"),
            (lambda said: said["migrations"].append("public.0001_x"), "public.0001_x"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, whole: Path, change: Any, reason: str) -> None:
        assert reason in refused(rewritten(whole, change))

    @pytest.mark.parametrize("rows", [b"no json\n", b'{"id": "x"}\n', b"{}\n"])
    def test_rows_that_are_none_are_refused(self, whole: Path, rows: bytes) -> None:
        assert refused(rewritten(whole, lambda _: None, **{"data__chat.Channel.jsonl": rows}))

    def test_a_row_that_refers_to_nothing_is_refused(self, alice: Api, bob: Api, tenant: Tenant, file: Path) -> None:
        def none_of_them(said: dict[str, Any]) -> None:
            said["parts"]["data/accounts.User.jsonl"]["rows"] = 0

        live_a_little(alice, bob)
        exported(tenant, file)
        drop(tenant)
        assert "go together" in refused(rewritten(file, none_of_them, **{"data__accounts.User.jsonl": b""}))

    def test_a_backup_is_no_export(self, tenant: Tenant, file: Path) -> None:
        from tenancy.archives.backing_up import backup
        from tenancy.archives.restoring import plan_restore

        backup(tenant=tenant.ref, path=file)
        assert "is a tenant-backup" in refused(file)
        exported(tenant, file)
        with Archive(file) as archive, pytest.raises(ArchiveRefused, match="is a tenant-export"):
            plan_restore(archive)


class TestArchive:
    def test_it_can_be_read_without_any_of_us(self, alice: Api, bob: Api, tenant: Tenant, file: Path) -> None:
        live_a_little(alice, bob)
        exported(tenant, file)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        with ZipFile(file) as archive:
            manifest = json.loads(archive.read("manifest.json"))
            for label, facts in manifest["models"].items():
                lines = archive.read(facts["part"]).decode().splitlines()
                assert len(lines) == (manifest["parts"][facts["part"]]["rows"] or 0), label
                assert all(list(json.loads(line)) == facts["columns"] for line in lines), label
            messages = [json.loads(line) for line in archive.read("data/chat.Message.jsonl").splitlines()]
        assert [one["content"] for one in messages][-1] == "unread 1"
        assert manifest["tenant"]["slug"] == COMPANY

    def test_it_holds_nothing_of_anybody_else_and_no_token(
        self, alice: Api, bob: Api, mallory: Api, tenant: Tenant, other_tenant: Tenant, file: Path
    ) -> None:
        live_a_little(alice, bob)
        register(mallory, "Canary Quuxington", "lead-1", email="canary@elsewhere.test")
        Tenant.objects.filter(pk=other_tenant.pk).update(name="Canary Company")
        exported(tenant, file, passphrase=PASSPHRASE)
        foreign = ("canary", "globex", str(other_tenant.id), other_tenant.id.hex, other_tenant.schema_name)
        tokens = ("secret_hash", "current_hash", "sealed", "key_id")
        with ZipFile(file) as archive:
            texts = {name: archive.read(name).lower() for name in archive.namelist()}
        assert b"jane doe 1" in b"".join(texts.values())
        for name, text in texts.items():
            found = foreign if name == "manifest.json" else (*foreign, *tokens)
            assert [word for word in found if word.encode().lower() in text] == [], name

    def test_any_number_of_rows_is_taken_page_by_page(
        self, alice: Api, bob: Api, tenant: Tenant, file: Path, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Pages of three, over keys of one and of several columns, miss nothing and take nothing twice."""
        monkeypatch.setattr("tenancy.archives.reading.PAGE", 3)
        monkeypatch.setattr(importing, "_PAGE", 2)
        monkeypatch.setattr("tenancy.archives.exporting._FILES_AT_ONCE", 1)
        live_a_little(alice, bob)
        with bind(tenant.ref):
            for person in (alice, bob):
                avatar_store(user=person.user, image=picture())
        for number in range(scaled(7, 500)):
            data(alice.post("/users", {"email": f"p{number}@acme.test"}), 201)
        exported(tenant, file)
        # What does not travel; addresses of pictures, and times at which migrations were applied, are others here.
        left = {"accounts_session", "accounts_linktoken", "accounts_user", "django_migrations"}
        before = sums(tenant.schema_name)
        fresh()
        done = imported(file)
        after = sums(done.tenant.schema_name)
        changed = {name for name in before if before[name] != after[name]} - left
        # What import itself writes down.
        assert changed <= {"journal_journalentry", "notifications_digest"}
        assert after["accounts_user"][0] == before["accounts_user"][0]

    def test_a_dry_run_only_tells(self, manage: Manage, tenant: Tenant, file: Path, tmp_path: Path) -> None:
        assert said(manage("tenant_export", COMPANY, "--to", str(file), "--json", "--dry-run"))["written"] is False
        assert list(tmp_path.iterdir()) == []
        exported(tenant, file)
        drop(tenant)
        told = said(manage("tenant_import", str(file), "--json", "--dry-run", "--slug", "acme-b"))
        assert (told["imported"], told["slug"]) == (False, "acme-b")
        assert not Tenant.objects.filter(slug__startswith="acme").exists()
        assert said(manage("tenant_import", str(file), "--json", "--slug", "acme-b"))["imported"] is True
        assert Tenant.objects.get(slug="acme-b").pk == tenant.pk

    def test_the_journal_tells_that_there_is_a_copy(self, tenant: Tenant, file: Path) -> None:
        exported(tenant, file)
        told = "SELECT data FROM journal_journalentry WHERE key = 'tenancy.tenant_exported'"
        [(facts,)] = execute(tenant.schema_name, told)
        assert json.loads(facts) == {"complete": False}


def test_a_killed_import_leaves_a_schema_for_the_reaper_and_a_free_slug(
    committed: str, alice: Api, bob: Api, tenant: Tenant, file: Path
) -> None:
    from tests.support import finishes_before_kill

    live_a_little(alice, bob)
    exported(tenant, file)
    drop(tenant)
    work = f"""
        from pathlib import Path
        from tenancy.archives.container import Archive
        from tenancy.archives.importing import import_tenant, plan_import
        with Archive(Path("{file}")) as archive:
            import_tenant(plan_import(archive))
    """
    for statement in (30, 150):
        assert not finishes_before_kill(work, statement=statement, database=committed, as_owner=True)
        assert not Tenant.objects.filter(slug=COMPANY).exists()
    reap()
    assert imported(file).tenant.slug == COMPANY
    reap()
    assert len(schemas_like(TENANT_SCHEMA)) == Tenant.objects.count()


def test_many_tenants_registered_alongside_are_untouched(tenant: Tenant, file: Path) -> None:
    exported(tenant, file)
    drop(tenant)
    other = tenant_register(company_name="Many", slug="many", admin_email="a@many.test", admin_password=PASSWORD).tenant
    before = sums(other.schema_name), sums(Tenant.objects.get(slug="globex").schema_name)
    imported(file)
    assert (sums(other.schema_name), sums(Tenant.objects.get(slug="globex").schema_name)) == before


def test_the_document_describes_every_model_and_every_key_of_the_manifest() -> None:
    from tenancy.archives.manifests import Head, LeftOut, ModelFacts, Secrets, TenantFacts
    from tenancy.archives.tenant_tables import TENANT_TABLES

    text = Path("docs/tenant-archive.md").read_text()
    for shape in (ExportManifest, Head, TenantFacts, ModelFacts, LeftOut, Secrets):
        for name in shape.__struct_encode_fields__:
            assert f"`{name}`" in text, name
    for kind in TENANT_TABLES:
        assert re.search(rf"`{re.escape(kind.label)}`", text), kind.label
