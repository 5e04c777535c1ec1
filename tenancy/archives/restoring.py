"""Restoring one tenant into a living database.

The backup is loaded into a schema of a new name, beside the tenant's own, and brought up to date there. Then one
short transaction lets the tenant name it. Killed before that, the tenant is as it was and the reaper removes the new
schema; killed after it, the tenant is restored and the reaper removes the old one. Nothing is ever renamed.
"""

import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson
from django.db import IntegrityError, transaction
from django.utils import timezone

from platform_site.archiving import after_loading
from platform_site.binding import bind
from platform_site.journal.services import record
from platform_site.outbox.catalog import OUTBOX_ROWS
from platform_site.session_cache import forget_tenant
from platform_site.tenant_rows import AtRestore, tenant_rows
from tenancy.archives.backing_up import DUMP, Watch, finish, part_of, unwatched
from tenancy.archives.building import connection_beside, drop_if_possible, new_schema, refuse_roles
from tenancy.archives.container import Archive, ArchiveRefused
from tenancy.archives.loading import load
from tenancy.archives.manifests import BACKUP, BackupManifest, read_manifest, refuse_newer, refuse_unmigrated
from tenancy.archives.programs import Program, find_program, server_version
from tenancy.archives.reading import rows, sums_of
from tenancy.archives.settling import outbox_of_gone, outbox_of_living, rows_add, tenant_again, tenant_swapped
from tenancy.catalog import TENANT_RESTORED, TENANT_ROW
from tenancy.erasures.services import erasures_replay
from tenancy.migrating.history import migrations_fingerprint, shared_apps
from tenancy.migrating.tenants import migrate_schema
from tenancy.migrating.timeouts import migration_timeouts
from tenancy.models import Tenant
from tenancy.provisioning.locks import own_schema
from tenancy.provisioning.rights import grant_schema, step_down
from tenancy.provisioning.schemas import TENANT_SCHEMA, schema_ref, schemas_like
from tenancy.services import tenant_lock
from tenancy.slugs import slug_normalized, slug_refusal

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """A backup that was looked through and can be restored here. ``replaced`` is the living tenant, if there is one."""

    archive: Archive
    manifest: BackupManifest
    program: Program
    slug: str
    replaced: Tenant | None


@dataclass(frozen=True, slots=True)
class Restored:
    """``left`` is a schema that could not be dropped at once; the reaper will."""

    tenant: Tenant
    migrated: list[str]
    erased_again: int
    left: str


def plan_restore(archive: Archive, *, as_slug: str = "", replace: bool = False) -> Plan:
    """Look through the archive and at this installation; raises ``ArchiveRefused``. Changes nothing."""
    manifest = read_manifest(archive, BACKUP, BackupManifest)
    refuse_newer(manifest.public_migrations, shared_apps(), manifest.product)
    refuse_unmigrated()
    refuse_roles()
    _refuse_missing_extensions(manifest)
    version = server_version()
    if version // 10000 < manifest.server_version // 10000:
        raise ArchiveRefused(
            f"The backup is from PostgreSQL {manifest.server_version // 10000}, this server is {version // 10000}."
        )
    program = find_program("pg_restore", at_least=max(version, manifest.server_version) // 10000)
    found: Tenant | None = Tenant.objects.filter(pk=manifest.tenant.id).exclude(status=Tenant.Status.DELETED).first()
    return Plan(archive, manifest, program, _slug(manifest, found, as_slug, replace=replace), found)


def restore(plan: Plan, *, watch: Watch = unwatched) -> Restored:
    """Bring the tenant back. Raises ``ArchiveRefused``, and then everything is as it was."""
    with new_schema() as schema_name, migration_timeouts():
        _load(plan, schema_name, watch)
        # Its own reference, not the tenant's: the fingerprint of the living schema is not to be touched.
        migrated = migrate_schema(schema_ref(schema_name))
        grant_schema(schema_name)
        with ExitStack() as stack:
            former = plan.replaced.schema_name if plan.replaced is not None else ""
            if former:
                stack.enter_context(own_schema(former))
            try:
                tenant, erased = _go_live(plan, schema_name)
            except IntegrityError as error:
                reason = str(error).splitlines()[0]
                raise ArchiveRefused(f"Something in the backup is another tenant's by now: {reason}") from None
            left = "" if not former or drop_if_possible(former) else former
    return Restored(tenant, migrated, erased, left)


def _refuse_missing_extensions(manifest: BackupManifest) -> None:
    there = dict(rows("SELECT e.extname::text, e.extnamespace::regnamespace::text FROM pg_extension e"))
    missing = [(name, schema) for name, schema in manifest.extensions.items() if there.get(name) != schema]
    if missing:
        make = " ".join(f"CREATE EXTENSION {name} SCHEMA {schema};" for name, schema in missing)
        raise ArchiveRefused(f"This database lacks extensions that the backup needs. As its owner: {make}")


def _slug(manifest: BackupManifest, found: Tenant | None, as_slug: str, *, replace: bool) -> str:
    if found is not None:
        if found.status == Tenant.Status.PROVISIONING:
            raise ArchiveRefused(f"Tenant {found.slug} is being made at this moment.")
        if as_slug:
            raise ArchiveRefused(f"The tenant is there, as {found.slug}. --as-slug is for one that is gone.")
        if not replace:
            raise ArchiveRefused(f"Tenant {found.slug} is {found.status}. --replace puts the backup in its place.")
        return found.slug
    slug = slug_normalized(as_slug or manifest.tenant.slug)
    if as_slug and slug_refusal(slug) is not None:
        raise ArchiveRefused(f"{as_slug!r} cannot be a slug.")
    if Tenant.objects.exclude(pk=manifest.tenant.id).filter(slug=slug).exists():
        raise ArchiveRefused(f"The slug {slug} is another tenant's by now. --as-slug gives this one another.")
    return slug


def _load(plan: Plan, schema_name: str, watch: Watch) -> None:
    """All of the schema in one transaction, and only if it is row for row what was backed up."""
    manifest = plan.manifest
    with connection_beside() as beside, _as_sql(plan) as lines:
        load(beside, watch(lines, unit="line"), written_as=manifest.schema_name, schema_name=schema_name)
    if sums_of(schema_name) != manifest.sums:
        raise ArchiveRefused("The rows that were loaded are not those that were backed up.")


@contextmanager
def _as_sql(plan: Plan) -> Iterator[Iterable[bytes]]:
    """The dump as pg_restore prints it."""
    said = tempfile.TemporaryFile()  # noqa: SIM115 - closed by finish
    command = [plan.program.path, "--format=custom", "--file=-", "--no-owner", "--no-privileges"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said)
    assert process.stdin is not None  # noqa: S101 - for the type checker
    assert process.stdout is not None  # noqa: S101 - for the type checker
    feeder = threading.Thread(target=_feed, args=(plan.archive, process.stdin), daemon=True)
    feeder.start()
    failed = True
    try:
        yield process.stdout
        failed = False
    finally:
        finish(process, said, failed=failed)
        feeder.join()


def _feed(archive: Archive, target: IO[bytes]) -> None:
    """A program that ends early does not want the rest; why it ended is asked by ``finish``."""
    try:
        with target, archive.part(DUMP) as source:
            while chunk := source.read(_CHUNK):
                target.write(chunk)
    except BrokenPipeError:
        return


def _go_live(plan: Plan, schema_name: str) -> tuple[Tenant, int]:
    """The short transaction: from its commit on the restored schema is the tenant's.

    It has the rights of what serves requests, so that nothing that apps put right can touch what was written down.
    """
    tenant_id = plan.manifest.tenant.id
    [line] = plan.archive.rows(part_of(TENANT_ROW))
    row, fingerprint = orjson.loads(line), migrations_fingerprint()
    with transaction.atomic():
        step_down()
        looked: dict[Any, Any] = {}
        if plan.replaced is not None:
            tenant = tenant_lock(tenant_id=tenant_id)
            if tenant.schema_name != plan.replaced.schema_name:
                raise ArchiveRefused("The tenant was restored by somebody else meanwhile.")
            looked = _look(tenant)
            tenant_swapped(tenant, row, schema_name=schema_name, fingerprint=fingerprint)
        else:
            tenant_again(row, slug=plan.slug, schema_name=schema_name, fingerprint=fingerprint)
            tenant = tenant_lock(tenant_id=tenant_id)
        _add_rows(plan)
        with bind(tenant.ref):
            if plan.replaced is not None:
                outbox_of_living(tenant)
            else:
                outbox_of_gone(plan.archive.rows(part_of(OUTBOX_ROWS)), timezone.now())
            for settled in after_loading:
                settled.mend(looked.get(settled.key))
            erased = erasures_replay()
            facts = {"backupOf": plan.manifest.created_at.isoformat(), "erasedAgain": erased}
            record(TENANT_RESTORED, subject=("tenant", tenant.id), data=facts)
        forget_tenant(tenant.id)
    return tenant, erased


def _look(tenant: Tenant) -> dict[Any, Any]:
    """What the living tenant has to say before it goes; nothing when its schema was lost."""
    if tenant.schema_name not in schemas_like(TENANT_SCHEMA):
        return {}
    with bind(tenant.ref):
        return {settled.key: settled.look() for settled in after_loading if settled.look is not None}


def _add_rows(plan: Plan) -> None:
    wanted = {AtRestore.ADDED} if plan.replaced is not None else {AtRestore.ADDED, AtRestore.WHEN_GONE}
    for kind in tenant_rows:
        # A backup of an older release does not know of a table that came since.
        if kind.at_restore in wanted and part_of(kind) in plan.manifest.parts:
            rows_add(kind, plan.archive.rows(part_of(kind)))


def default_name(folder: Path, slug: str) -> Path:
    """Where a backup goes when nobody says."""
    return folder / f"{slug}-{timezone.now():%Y%m%dT%H%M%SZ}.backup.zip"
