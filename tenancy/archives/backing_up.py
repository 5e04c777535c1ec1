"""Backing up one tenant: its schema by pg_dump, its rows of public as JSON, both as of the same moment."""

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

from platform_site.binding import TenantRef
from platform_site.tenant_rows import TenantRows, tenant_rows
from tenancy.archives.container import ArchiveRefused, ArchiveWriter
from tenancy.archives.manifests import BACKUP, BackupManifest, TenantFacts, head
from tenancy.archives.programs import Program, database_environment, find_program, server_version
from tenancy.archives.reading import Table, extensions_of, json_rows, migrations_of, one_moment, sums_of
from tenancy.migrating.history import shared_apps
from tenancy.models import Tenant
from tenancy.provisioning.locks import own_schema
from tenancy.provisioning.schemas import TENANT_SCHEMA, schemas_like

DUMP: Final = "schema.dump"
_CHUNK: Final = 1 << 20
# Wraps what takes long, for whoever watches.
Watch = Callable[..., Iterator[Any]]


def unwatched(items: Any, **_: object) -> Iterator[Any]:
    yield from items


def backup(*, tenant: TenantRef, path: Path, force: bool = False, watch: Watch = unwatched) -> BackupManifest:
    """Write the tenant into ``path``, whole or not at all. The tenant goes on working meanwhile.

    Raises ``ArchiveRefused``.
    """
    refuse_without_schema(tenant)
    version = server_version()
    program = find_program("pg_dump", at_least=version // 10000)
    # A migration would pull the tables away between the moment and the dump of it.
    with ArchiveWriter(path, force=force) as archive, own_schema(tenant.schema_name), one_moment() as moment:
        with archive.part(DUMP, compress=False) as part, dumped(program, tenant.schema_name, moment) as source:
            for chunk in watch(iter(lambda: source.read(_CHUNK), b""), unit="MiB"):
                part.write(chunk)
        for kind in tenant_rows:
            if kind.is_in_backup:
                with archive.part(part_of(kind)) as part:
                    for line in public_rows(kind, tenant):
                        part.write_row(line)
        facts = Tenant.objects.get(pk=tenant.id)
        migrations = migrations_of(tenant.schema_name)
        manifest = BackupManifest(
            **head(BACKUP, TenantFacts(facts.id, facts.slug, facts.name), migrations, archive.parts),
            schema_name=tenant.schema_name,
            server_version=version,
            public_migrations=[name for name in migrations_of("public") if name.partition(".")[0] in shared_apps()],
            extensions=extensions_of(tenant.schema_name),
            sums=sums_of(tenant.schema_name),
        )
        archive.finish(manifest)
    return manifest


def refuse_without_schema(tenant: TenantRef) -> None:
    if tenant.schema_name not in schemas_like(TENANT_SCHEMA):
        raise ArchiveRefused(f"Tenant {tenant.slug} is {tenant.status} and has no schema {tenant.schema_name}.")


def part_of(kind: TenantRows) -> str:
    """The name in the archive of one table of public."""
    return f"public/{kind.model._meta.db_table}.jsonl"


def public_rows(kind: TenantRows, tenant: TenantRef) -> Iterator[str]:
    """This tenant's rows of one table of public."""
    facts = kind.model._meta
    columns = [str(field.column) for field in facts.local_concrete_fields if field.column not in kind.unnumbered]
    table = Table(facts.db_table, tuple(columns), (str(facts.pk.column),))
    return json_rows("public", table, where=(kind.column, tenant.id))


class dumped:
    """The schema's dump, as a stream of bytes. Raises ``ArchiveRefused`` at the end when pg_dump failed."""

    def __init__(self, program: Program, schema_name: str, moment: str) -> None:
        self._command = [
            program.path,
            "--format=custom",
            f"--schema={schema_name}",
            f"--snapshot={moment}",
            "--no-owner",
            "--no-privileges",
            "--no-comments",
            "--no-publications",
            "--no-subscriptions",
            "--no-security-labels",
            "--lock-wait-timeout=30s",
            "--no-password",
        ]

    def __enter__(self) -> IO[bytes]:
        self._said = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env=database_environment(),
        )
        assert self._process.stdout is not None  # noqa: S101 - for the type checker
        return self._process.stdout

    def __exit__(self, kind: object, *_: object) -> None:
        finish(self._process, self._said, failed=kind is not None)


def finish(process: "subprocess.Popen[bytes]", said: IO[bytes], *, failed: bool) -> None:
    """Wait for a program that has nothing more to say; stop it when ``failed``. Raises with what it complained of."""
    if failed:
        process.kill()
    if process.stdout is not None:
        process.stdout.close()
    code = process.wait()
    said.seek(0)
    text = said.read().decode(errors="replace").strip()
    said.close()
    if code and not failed:
        raise ArchiveRefused(f"{Path(str(process.args[0])).name} failed: {text[-1000:] or code}")  # type: ignore[index]
