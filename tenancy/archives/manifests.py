"""What stands in ``manifest.json``, and whether this installation can take an archive that says so."""

from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from platform_site import __version__
from tenancy.archives.container import Archive, ArchiveRefused, Part
from tenancy.archives.reading import Sum
from tenancy.migrating.history import tenant_apps
from tenancy.migrating.public import public_is_current

BACKUP: Final = "tenant-backup"
EXPORT: Final = "tenant-export"
FORMAT: Final = 1
_SHOWN: Final = 3


class TenantFacts(msgspec.Struct, rename="camel", frozen=True):
    id: UUID
    slug: str
    name: str


class Head(msgspec.Struct, rename="camel", kw_only=True):
    """What every archive says first: what it is, of whom, and by which code it was written."""

    format: int
    kind: str
    product: str
    created_at: datetime
    tenant: TenantFacts
    # "app.name", sorted: what the tenant's schema had.
    migrations: list[str]
    parts: dict[str, Part]


class BackupManifest(Head, kw_only=True):
    schema_name: str
    # As PostgreSQL numbers it: 180006.
    server_version: int
    public_migrations: list[str]
    extensions: dict[str, str]
    sums: dict[str, Sum]


class Secrets(msgspec.Struct, rename="camel", frozen=True):
    """How the encrypted part was encrypted: scrypt makes the key of a passphrase, AES-256-GCM encrypts."""

    part: str
    salt: str
    nonce: str
    n: int
    r: int
    p: int


class ModelFacts(msgspec.Struct, rename="camel", frozen=True):
    """One model of an export: its table, the part with its rows, and the columns that each row has."""

    table: str
    part: str
    columns: list[str]


class LeftOut(msgspec.Struct, rename="camel", frozen=True):
    what: str
    why: str


class ExportManifest(Head, kw_only=True):
    # What of the tenant's own row of public travels.
    profile: dict[str, Any]
    models: dict[str, ModelFacts]
    # By "table.column": the last number that was given.
    sequences: dict[str, int]
    left_out: list[LeftOut]
    secrets: Secrets | None = None


Kind = TypeVar("Kind", bound=Head)


def head(kind: str, tenant: TenantFacts, migrations: list[str], parts: dict[str, Part]) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "kind": kind,
        "product": __version__,
        "created_at": timezone.now(),
        "tenant": tenant,
        "migrations": migrations,
        "parts": parts,
    }


def read_manifest(archive: Archive, kind: str, shape: type[Kind]) -> Kind:
    """The manifest of an archive that is of this kind and whole, and whose format and migrations this code knows.

    Raises ``ArchiveRefused``.
    """
    said = archive.manifest(Head)
    if said.kind != kind:
        raise ArchiveRefused(f"{archive.path} is a {said.kind}, not a {kind}.")
    if said.format != FORMAT:
        raise ArchiveRefused(f"{archive.path} has format {said.format}; this version reads format {FORMAT}.")
    manifest = archive.manifest(shape)
    refuse_newer(manifest.migrations, tenant_apps(), manifest.product)
    archive.check_parts(manifest.parts)
    return manifest


def refuse_newer(migrations: list[str], labels: frozenset[str], product: str) -> None:
    """Raises for migrations that this code does not have: it would misread what they made."""
    unknown = sorted(set(migrations) - migration_names(labels))
    if unknown:
        named = ", ".join(unknown[:_SHOWN]) + (" and more" if len(unknown) > _SHOWN else "")
        raise ArchiveRefused(
            f"The archive is newer than this installation ({product}): it has the migrations {named}."
            " Update this installation first."
        )


def refuse_unmigrated() -> None:
    """Raises while the code is ahead of this database: what comes in would be made for another one."""
    if not public_is_current():
        raise ArchiveRefused("This database is behind the code. Run migrate_all first.")


def migration_names(labels: frozenset[str]) -> set[str]:
    """The migrations that this code has of these apps."""
    return {f"{app}.{name}" for app, name in MigrationLoader(None).graph.nodes if app in labels}
