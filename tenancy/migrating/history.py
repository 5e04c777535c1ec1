"""Which migrations belong to public and which to tenants, and the fingerprint of the latter."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import sha256

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from platform_site.binding import PUBLIC, bound_tenant

Progress = Callable[[str], None]


def _has_table(recorder: MigrationRecorder) -> bool:
    """Whether the bound schema has ``django_migrations``."""
    tenant = bound_tenant()
    # Named with its schema: public's table must not pass for a tenant's.
    table = f'"{tenant.schema_name if tenant else PUBLIC}".django_migrations'
    with recorder.connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [table])
        return bool(cursor.fetchone()[0])


# Django lists all tables to find this one, several times per run, and for that PostgreSQL looks at
# every table of every tenant: migrating a thousand tenants would cost a million looks.
MigrationRecorder.has_table = _has_table  # type: ignore[assignment,method-assign]


class MigrationRefused(Exception):
    """The migrations themselves are wrong; nothing was applied."""


def shared_apps() -> frozenset[str]:
    """Labels of the apps whose tables are in public."""
    return _labels(settings.SHARED_APPS)


def tenant_apps() -> frozenset[str]:
    """Labels of the apps whose tables are in each tenant's schema."""
    return _labels(settings.TENANT_APPS)


def _labels(names: Sequence[str]) -> frozenset[str]:
    return frozenset(config.label for config in apps.get_app_configs() if config.name in names)


@lru_cache
def migrations_fingerprint() -> str:
    """A hash over the names of all tenant migrations that the code has. Asks no database.

    Equal fingerprints mean equal schemas, so a tenant that carries this one needs no look inside.
    """
    graph = MigrationLoader(None).graph
    names = sorted(f"{app}.{name}" for app, name in graph.nodes if app in tenant_apps())
    return sha256("\n".join(names).encode()).hexdigest()


def pending(labels: frozenset[str]) -> tuple[MigrationExecutor, list[Migration]]:
    """What the current schema lacks of these apps' migrations, in the order to apply it.

    Raises ``MigrationRefused`` for two leaves in one app, and for a dependency that crosses the
    border between public and tenants: a schema holds the tables of one side only.
    """
    executor = MigrationExecutor(connection)
    executor.loader.check_consistent_history(connection)
    for app, leaves in executor.loader.detect_conflicts().items():
        raise MigrationRefused(f"{app} has several last migrations ({', '.join(leaves)}). Merge them.")
    plan = [migration for migration, _ in executor.migration_plan(_targets(executor, labels))]
    for migration in plan:
        if migration.app_label not in labels:
            raise MigrationRefused(f"{migration} is depended on from the other side of public and tenants.")
    return executor, plan


def apply_pending(labels: frozenset[str], *, progress: Progress | None = None) -> list[str]:
    """Apply what the current schema lacks. Gives the names of what was applied."""
    executor, plan = pending(labels)
    if not plan:
        return []

    def tell(action: str, migration: Migration | None = None, fake: bool = False) -> None:
        if progress is not None and action == "apply_success":
            progress(str(migration))

    executor.progress_callback = tell  # type: ignore[assignment]
    executor.migrate(_targets(executor, labels), [(migration, False) for migration in plan])
    return [str(migration) for migration in plan]


def _targets(executor: MigrationExecutor, labels: frozenset[str]) -> list[tuple[str, str]]:
    return [node for node in executor.loader.graph.leaf_nodes() if node[0] in labels]
