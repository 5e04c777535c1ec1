"""Exporting one tenant for another installation: rows as JSON, files as files, secrets under a passphrase or not.

``docs/tenant-archive.md`` says what is in the file, for whoever reads it without this platform.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson
from django.db import transaction
from psycopg import sql

from platform_site.binding import TenantRef, bind
from platform_site.journal.services import record
from platform_site.keys import SealBroken, UnknownKey
from platform_site.sealed_columns import SealedColumn, sealed_columns
from tenancy.archives.backing_up import Watch, refuse_without_schema, unwatched
from tenancy.archives.container import ArchiveRefused, ArchiveWriter
from tenancy.archives.manifests import EXPORT, ExportManifest, LeftOut, ModelFacts, Secrets, TenantFacts, head
from tenancy.archives.passphrases import PART, encrypt
from tenancy.archives.reading import Table, json_rows, migrations_of, one_moment, rows, sequences_of, tables_of
from tenancy.archives.settling import OWN_COLUMNS
from tenancy.archives.tenant_tables import TENANT_TABLES, TenantTable, Travels
from tenancy.catalog import TENANT_EXPORTED
from tenancy.migrating.history import migrations_fingerprint
from tenancy.models import Tenant
from tenancy.provisioning.locks import own_schema

_FILES_AT_ONCE: Final = 50
# What of the tenant's own row of public travels.
PROFILE: Final = (*OWN_COLUMNS, "created_at")


def refuse_export(tenant: TenantRef) -> None:
    """Raises unless the tenant's schema is there and what this code expects."""
    refuse_without_schema(tenant)
    if not Tenant.objects.filter(pk=tenant.id, schema_fingerprint=migrations_fingerprint()).exists():
        raise ArchiveRefused(f"Tenant {tenant.slug} is behind the code. Run migrate_all first.")


def export(
    *, tenant: TenantRef, path: Path, passphrase: str = "", force: bool = False, watch: Watch = unwatched
) -> ExportManifest:
    """Write the tenant into ``path``, whole or not at all; with a passphrase its secrets too.

    The tenant's journal says so, whether it succeeds or not. Raises ``ArchiveRefused``.
    """
    refuse_export(tenant)
    with ArchiveWriter(path, force=force) as archive:
        with transaction.atomic(), bind(tenant):
            record(TENANT_EXPORTED, subject=("tenant", tenant.id), data={"complete": bool(passphrase)})
        with own_schema(tenant.schema_name), one_moment():
            tables = {table.name: table for table in tables_of(tenant.schema_name)}
            travelling = [kind for kind in TENANT_TABLES if kind.travels is Travels.YES]
            models = {kind.label: _model(kind, tables[kind.table]) for kind in travelling}
            for kind in travelling:
                with archive.part(kind.part) as part:
                    columns = models[kind.label].columns
                    found = json_rows(tenant.schema_name, tables[kind.table], columns=columns)
                    for line in watch(found, unit="row"):
                        part.write_row(line)
                if kind.files:
                    _write_files(archive, tenant, kind)
            secrets = _write_secrets(archive, tenant, tables, passphrase) if passphrase else None
            facts = Tenant.objects.get(pk=tenant.id)
            said = TenantFacts(facts.id, facts.slug, facts.name)
            manifest = ExportManifest(
                **head(EXPORT, said, migrations_of(tenant.schema_name), archive.parts),
                profile={name: getattr(facts, name) for name in PROFILE},
                models=models,
                sequences=sequences_of(tenant.schema_name),
                left_out=list(_left_out(with_secrets=bool(passphrase))),
                secrets=secrets,
            )
        archive.finish(manifest)
    return manifest


def sealed_of(label: str) -> list[SealedColumn]:
    """The sealed columns of one model."""
    return [sealed for sealed in sealed_columns if sealed.model == label]


def sealed_that_travel() -> list[SealedColumn]:
    """Those of the tables that leave, with secrets or without."""
    return [sealed for kind in TENANT_TABLES if kind.travels is not Travels.NO for sealed in sealed_of(kind.label)]


def _model(kind: TenantTable, table: Table) -> ModelFacts:
    apart = {sealed.column for sealed in sealed_of(kind.label)} | ({kind.files} if kind.files else set())
    return ModelFacts(table.name, kind.part, [name for name in table.columns if name not in apart])


def _write_files(archive: ArchiveWriter, tenant: TenantRef, kind: TenantTable) -> None:
    """Each row's bytes as a file, named after the row's public id."""
    query = sql.SQL("SELECT id, {files} FROM {table} WHERE id > %s ORDER BY id LIMIT {page}").format(
        files=sql.Identifier(kind.files),
        table=sql.Identifier(tenant.schema_name, kind.table),
        page=sql.Literal(_FILES_AT_ONCE),
    )
    after = "00000000-0000-0000-0000-000000000000"
    while page := rows(query, [after]):
        for file_id, content in page:
            with archive.part(f"{kind.folder}/{file_id}.webp", compress=False) as part:
                part.write(bytes(content))
        after = page[-1][0]


def _write_secrets(archive: ArchiveWriter, tenant: TenantRef, tables: dict[str, Table], passphrase: str) -> Secrets:
    text = b"".join(orjson.dumps(line) + b"\n" for line in _secrets(tenant, tables))
    content, said = encrypt(text, passphrase=passphrase, about=str(tenant.id))
    with archive.part(PART, compress=False) as part:
        part.write(content)
    return said


def _secrets(tenant: TenantRef, tables: dict[str, Table]) -> Iterator[dict[str, Any]]:
    """Whole rows of tables that are secret, then every sealed text with where it belongs."""
    for kind in TENANT_TABLES:
        if kind.travels is Travels.SECRET:
            table = tables[kind.table]
            columns = _model(kind, table).columns
            for line in json_rows(tenant.schema_name, table, columns=columns):
                yield {"model": kind.label, "row": orjson.loads(line)}
    with bind(tenant):
        for sealed in sealed_that_travel():
            for row in sealed.rows().order_by("pk").iterator(1000):
                yield {
                    "model": sealed.model,
                    "key": row.pk,
                    "column": sealed.column,
                    "text": _opened(sealed, row),
                }


def _opened(sealed: SealedColumn, row: Any) -> str:
    try:
        return sealed.opened(row).decode()
    except (UnknownKey, SealBroken) as error:
        raise ArchiveRefused(
            f"{sealed.name} of {row.pk} cannot be opened with this platform's keys ({type(error).__name__})."
        ) from None


def _left_out(*, with_secrets: bool) -> Iterator[LeftOut]:
    whole: set[str] = set()
    for kind in TENANT_TABLES:
        if kind.travels is Travels.NO or (kind.travels is Travels.SECRET and not with_secrets):
            whole.add(kind.label)
            yield LeftOut(kind.label, kind.why)
    if not with_secrets:
        for sealed in sealed_that_travel():
            if sealed.model not in whole:
                yield LeftOut(sealed.name, "Encrypted with this platform's key; exported with secrets only.")
    yield LeftOut("public", "Billing, staff's records, the outbox and the directory are the installation's.")
