"""Importing a tenant that was exported elsewhere.

A schema is made at exactly the migrations that the archive was written with, the rows are loaded into it, and then it
is migrated on: what a migration does to rows, it does to these too. Only then a tenant is made that names it.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from uuid import UUID

import orjson
from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import DatabaseError, IntegrityError, transaction
from django.db.migrations.executor import MigrationExecutor
from psycopg import sql

from platform_site.archiving import after_loading
from platform_site.binding import bind, connection
from platform_site.derived_values import derived_values
from platform_site.ids import uuid7
from platform_site.journal.models import JournalEntry
from platform_site.journal.services import record
from tenancy.archives.backing_up import Watch, unwatched
from tenancy.archives.building import insert_json, new_schema, refuse_roles
from tenancy.archives.container import Archive, ArchiveRefused
from tenancy.archives.exporting import PROFILE, sealed_of
from tenancy.archives.manifests import EXPORT, ExportManifest, read_manifest, refuse_unmigrated
from tenancy.archives.passphrases import decrypt
from tenancy.archives.reading import migrations_of, no_timeouts, rows, tables_of
from tenancy.archives.tenant_tables import AVATARS, TENANT_TABLES, Travels
from tenancy.catalog import TENANT_IMPORTED
from tenancy.migrating.history import migrations_fingerprint, tenant_apps
from tenancy.migrating.tenants import migrate_schema
from tenancy.migrating.timeouts import migration_timeouts
from tenancy.models import Tenant
from tenancy.provisioning.rights import grant_schema, step_down
from tenancy.provisioning.schemas import schema_ref
from tenancy.slugs import slug_normalized, slug_refusal

_PAGE: Final = 500
_PEOPLE: Final = "accounts.User"


@dataclass(frozen=True, slots=True)
class Plan:
    """An archive that was looked through and can be imported here. ``secrets`` are the lines of its encrypted part."""

    archive: Archive
    manifest: ExportManifest
    slug: str
    tenant_id: UUID
    secrets: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Imported:
    tenant: Tenant
    migrated: list[str]


def plan_import(archive: Archive, *, slug: str = "", passphrase: str = "") -> Plan:
    """Look through the archive and at this installation; raises ``ArchiveRefused``. Changes nothing."""
    manifest = read_manifest(archive, EXPORT, ExportManifest)
    refuse_unmigrated()
    refuse_roles()
    _refuse_unknown(manifest)
    wanted = slug_normalized(slug or manifest.tenant.slug)
    if slug_refusal(wanted) is not None:
        raise ArchiveRefused(f"{wanted!r} cannot be a slug. --slug gives the tenant another.")
    if Tenant.objects.filter(slug=wanted).exists():
        raise ArchiveRefused(f"The slug {wanted} is taken. --slug gives the tenant another.")
    _refuse_people_who_are_here(archive, manifest)
    taken = Tenant.objects.filter(pk=manifest.tenant.id).exists()
    tenant_id = uuid7() if taken else manifest.tenant.id
    return Plan(archive, manifest, wanted, tenant_id, _secrets(archive, manifest, passphrase))


def import_tenant(plan: Plan, *, watch: Watch = unwatched) -> Imported:
    """Make the tenant. Raises ``ArchiveRefused``, and then nothing was made."""
    with new_schema() as schema_name, migration_timeouts():
        try:
            _make_at(schema_name, plan.manifest.migrations)
            _load(plan, schema_name, watch)
            migrated = migrate_schema(schema_ref(schema_name))
            grant_schema(schema_name)
            tenant = _go_live(plan, schema_name)
        except IntegrityError as error:
            raise ArchiveRefused(f"It does not go together with what is here: {_first_line(error)}") from None
        except DatabaseError as error:
            raise ArchiveRefused(f"It could not be loaded: {_first_line(error)}") from None
    return Imported(tenant, migrated)


def _first_line(error: Exception) -> str:
    """Lines after it may quote rows."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def _refuse_unknown(manifest: ExportManifest) -> None:
    if _PEOPLE not in manifest.models or set(PROFILE) - set(manifest.profile):
        raise ArchiveRefused("The archive lacks the tenant's profile or its people.")
    travelling = {kind.label: kind for kind in TENANT_TABLES if kind.travels is Travels.YES}
    for label, facts in manifest.models.items():
        kind = travelling.get(label)
        if kind is None or facts.table != kind.table or facts.part != kind.part or facts.part not in manifest.parts:
            raise ArchiveRefused(f"The archive has rows of {label}, which this installation does not take.")


def _refuse_people_who_are_here(archive: Archive, manifest: ExportManifest) -> None:
    """People keep their ids, because everything refers to them; so a tenant cannot be here twice."""
    entries = apps.get_model("directory.DirectoryEntry")._default_manager
    for page in _pages(archive, manifest.models[_PEOPLE].part):
        if entries.filter(user_uuid__in=[orjson.loads(line)["uuid"] for line in page]).exists():
            raise ArchiveRefused("People of this archive are here already: the tenant, or a copy of it, is here.")


def _secrets(archive: Archive, manifest: ExportManifest, passphrase: str) -> list[dict[str, Any]]:
    if not passphrase:
        return []
    if manifest.secrets is None:
        raise ArchiveRefused("The archive has no secrets; it was exported without --with-secrets.")
    with archive.part(manifest.secrets.part) as part:
        text = decrypt(part.read(), manifest.secrets, passphrase=passphrase, about=str(manifest.tenant.id))
    return [orjson.loads(line) for line in text.splitlines()]


def _make_at(schema_name: str, migrations: list[str]) -> None:
    """An empty schema that has exactly these migrations."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {connection.ops.quote_name(schema_name)}")
    with bind(schema_ref(schema_name)):
        executor = MigrationExecutor(connection)
        wanted = {(app, name) for app, _, name in (whole.partition(".") for whole in migrations)}
        nodes = executor.loader.graph.node_map
        targets = [node for node in sorted(wanted) if not _followed(node, wanted, nodes)]
        plan = executor.migration_plan(targets)
        if {(migration.app_label, migration.name) for migration, _ in plan} != wanted or not all(
            app in tenant_apps() for app, _ in wanted
        ):
            raise ArchiveRefused("The archive's migrations are no state that this code knows.")
        executor.migrate(targets, plan)
    if migrations_of(schema_name) != sorted(migrations):
        raise ArchiveRefused("The archive's migrations are no state that this code knows.")


def _followed(node: tuple[str, str], wanted: set[tuple[str, str]], nodes: dict[Any, Any]) -> bool:
    """Whether a wanted migration of the same app comes behind this one."""
    return any(child.key in wanted and child.key[0] == node[0] for child in nodes[node].children)


def _load(plan: Plan, schema_name: str, watch: Watch) -> None:
    """All rows in one transaction; what refers to what is checked at its end."""
    manifest = plan.manifest
    with transaction.atomic():
        with connection.cursor() as cursor:
            no_timeouts(cursor)
        there = {table.name: set(table.columns) for table in tables_of(schema_name)}
        _empty(schema_name, [facts.table for facts in manifest.models.values()])
        for label, facts in manifest.models.items():
            if unknown := set(facts.columns) - there.get(facts.table, set()):
                raise ArchiveRefused(f"{label} has columns that are unknown: {', '.join(sorted(unknown))}.")
            _load_rows(plan, schema_name, label, watch)
        for label, objects in _secret_rows(plan).items():
            _load_secret_rows(schema_name, label, objects)
        _rename_subject(schema_name, plan)
        _set_sequences(schema_name, manifest.sequences)


def _empty(schema_name: str, tables: list[str]) -> None:
    """Away with what migrations put there: it is among the rows that come, as the tenant has it."""
    names = sql.SQL(", ").join(sql.Identifier(schema_name, table) for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))


def _load_rows(plan: Plan, schema_name: str, label: str, watch: Watch) -> None:
    facts, part = plan.manifest.models[label], plan.manifest.parts[plan.manifest.models[label].part]
    count = 0
    for page in watch(_pages(plan.archive, facts.part), unit="page"):
        columns, lines = facts.columns, page
        if label == AVATARS.label:
            columns, lines = [*columns, AVATARS.files], [_with_file(plan, line) for line in page]
        count += len(insert_json(schema_name, facts.table, columns, f"[{b','.join(lines).decode()}]"))
    if count != (part.rows or 0):
        raise ArchiveRefused(f"{label} has {count} rows, not the {part.rows} of the manifest.")


def _with_file(plan: Plan, line: bytes) -> bytes:
    row = orjson.loads(line)
    name = f"{AVATARS.folder}/{row['id']}.webp"
    if name not in plan.manifest.parts:
        raise ArchiveRefused(f"The archive lacks {name}.")
    with plan.archive.part(name) as file:
        return orjson.dumps({**row, AVATARS.files: "\\x" + file.read().hex()})


def _secret_rows(plan: Plan) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in plan.secrets:
        if "row" in line:
            found[line["model"]].append(line["row"])
    return found


def _load_secret_rows(schema_name: str, label: str, objects: list[dict[str, Any]]) -> None:
    """Their sealed columns are filled when it is known for which tenant."""
    kind = next((kind for kind in TENANT_TABLES if kind.label == label and kind.travels is Travels.SECRET), None)
    if kind is None:
        raise ArchiveRefused(f"The archive has secret rows of {label}, which this installation does not take.")
    empty = {sealed.column: "\\x" for sealed in sealed_of(label)}
    filled = [{**one, **empty} for one in objects]
    insert_json(schema_name, kind.table, list(filled[0]), orjson.dumps(filled).decode())


def _rename_subject(schema_name: str, plan: Plan) -> None:
    """Where the tenant gets another id, its journal is written down with that one: what refers to it shall find it.

    Here, while nobody has the schema yet. From going live on a journal is only added to.
    """
    before, now = str(plan.manifest.tenant.id), str(plan.tenant_id)
    if before == now:
        return
    journal = sql.Identifier(schema_name, JournalEntry._meta.db_table)
    with connection.cursor() as cursor:
        renamed = sql.SQL("UPDATE {} SET subject_id = %s WHERE subject_type = 'tenant' AND subject_id = %s")
        cursor.execute(renamed.format(journal), [now, before])


def _set_sequences(schema_name: str, sequences: dict[str, int]) -> None:
    """So that a number that was given is not given again."""
    for name, last in sequences.items():
        table, _, column = name.rpartition(".")
        if last > 0:
            whole = sql.Identifier(schema_name, table)
            rows(
                sql.SQL("SELECT setval(pg_get_serial_sequence({}, %s), %s)").format(sql.Literal(whole.as_string(None))),
                [column, last],
            )


def _go_live(plan: Plan, schema_name: str) -> Tenant:
    """From its commit on there is the tenant. With the rights of what serves requests, as in a restore."""
    profile = {name: plan.manifest.profile[name] for name in PROFILE}
    with transaction.atomic():
        step_down()
        tenant = Tenant(
            id=plan.tenant_id,
            slug=plan.slug,
            schema_name=schema_name,
            schema_fingerprint=migrations_fingerprint(),
            status=Tenant.Status.ACTIVE,
            **profile,
        )
        try:
            # Not the colours, of which there may be none.
            tenant.full_clean(exclude=["schema_name", "schema_fingerprint", "colors"], validate_unique=False)
        except ValidationError as error:
            raise ArchiveRefused(f"The archive's profile is not as expected: {error.messages[0]}") from None
        tenant.save(force_insert=True)
        with bind(tenant.ref):
            _seal_again(plan)
            for value in derived_values:
                if value.renew is not None:
                    value.renew()
            for settled in after_loading:
                settled.mend(None)
            facts = {"from": str(plan.manifest.tenant.id), "exportedAt": plan.manifest.created_at.isoformat()}
            record(TENANT_IMPORTED, subject=("tenant", tenant.id), data=facts)
    return tenant


def _seal_again(plan: Plan) -> None:
    for line in plan.secrets:
        if "text" not in line:
            continue
        for sealed in sealed_of(line["model"]):
            if sealed.column == line["column"]:
                sealed.write_sealed(sealed.all_rows().get(pk=line["key"]), line["text"].encode())


def _pages(archive: Archive, part: str) -> Iterator[list[bytes]]:
    lines = archive.rows(part)
    while page := list(islice(lines, _PAGE)):
        yield page
