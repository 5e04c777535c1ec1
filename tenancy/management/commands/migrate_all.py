"""``manage.py migrate_all``: the one command that changes the database's schema."""

import os
import time
from argparse import SUPPRESS, ArgumentParser
from typing import TYPE_CHECKING, Any, Final

from django.core.checks import Tags
from django.core.management.base import CommandError, OutputWrapper
from django.db import DatabaseError

from platform_site.management.operator import REFUSED, USAGE, OperatorCommand
from tenancy.migrating.history import MigrationRefused
from tenancy.migrating.run import Extent, Result, migrate_all, plan_all
from tenancy.migrating.tenants import Outcome, describe
from tenancy.migrating.worker import serve
from tenancy.models import Tenant
from tenancy.provisioning.snapshot import SnapshotRefused

if TYPE_CHECKING:
    from tqdm import tqdm

_UP_TO_DATE: Final = "Everything is up to date."


class Command(OperatorCommand):
    help = (
        "Migrates public, the template for sign-ups, and every tenant that is behind. Can be run again at any"
        " time, also after it was killed. Exit code 1: a tenant failed, the others are done; or it stopped before the"
        " tenants. 2: wrong usage."
    )
    requires_system_checks = (Tags.models,)
    writes = True
    needs_owner = True

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--workers", type=int, default=os.cpu_count() or 1, help="processes at once (default: one per processor)"
        )
        parser.add_argument("--public-only", action="store_true", help="leave the template and the tenants alone")
        parser.add_argument("--only", nargs="+", default=[], metavar="SLUG", help="of the tenants only these")
        parser.add_argument("--limit", type=int, help="at most so many tenants")
        parser.add_argument("--stop-after-failures", type=int, metavar="N", help="begin no more once N tenants failed")
        parser.add_argument("--worker", action="store_true", help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["worker"]:
            # Its standard output is for the process that started it, which also lends it the owner's sign-in.
            serve()
        else:
            super().handle(*args, **options)

    def run(self, **options: Any) -> dict[str, Any]:
        if options["workers"] < 1:
            raise CommandError("--workers must be at least 1.", returncode=USAGE)
        extent = self._extent(**options)
        if options["dry_run"]:
            plan = plan_all(public_only=options["public_only"], extent=extent)
            told = {"public": plan.public, "templateBuilt": plan.builds_template, "tenants": plan.tenants}
            return {**told, "dryRun": True}
        begun = time.monotonic()
        progress = Progress(self)
        try:
            result = migrate_all(
                workers=options["workers"], reporter=progress, public_only=options["public_only"], extent=extent
            )
        except (MigrationRefused, SnapshotRefused, DatabaseError) as error:
            raise CommandError(f"Stopped before the tenants: {describe(error)}") from error
        finally:
            progress.close()
        return as_json(result, time.monotonic() - begun)

    def text(self, result: dict[str, Any]) -> str:
        return planned(result) if result["dryRun"] else summary(result)

    def exit_code(self, result: dict[str, Any]) -> int:
        return REFUSED if result.get("tenantsFailed") else 0

    def complaint(self, result: dict[str, Any]) -> str:
        return f"{len(result['tenantsFailed'])} tenants failed. Run migrate_all again when it is mended."

    def _extent(self, **options: Any) -> Extent:
        for name in ("limit", "stop_after_failures"):
            if options[name] is not None and options[name] < 1:
                raise CommandError(f"--{name.replace('_', '-')} must be at least 1.", returncode=USAGE)
        if options["only"]:
            known = set(Tenant.objects.filter(slug__in=options["only"]).values_list("slug", flat=True))
            if unknown := sorted(set(options["only"]) - known):
                raise CommandError(f"There is no tenant {', '.join(unknown)}.", returncode=USAGE)
        return Extent(options["only"], options["limit"], options["stop_after_failures"])


class Progress:
    """A bar on a terminal, else a line for each thing that was done; errors always have a line."""

    def __init__(self, command: OperatorCommand) -> None:
        self._command = command
        self._bar: tqdm[Any] | None = None
        self._found = self._done = 0

    def note(self, text: str) -> None:
        if not self._command.quiet:
            self._write(self._command.stdout, text)

    def tenants_found(self, count: int) -> None:
        self._found += count
        self._bar = self._bar if self._bar is not None else self._command.bar(total=0, unit="tenant")
        self._bar.total = self._found
        self._bar.refresh()

    def tenant_done(self, outcome: Outcome) -> None:
        self._done += 1
        shown = self._bar is not None and not self._bar.disable
        if self._bar is not None:
            self._bar.update()
        if outcome.error:
            error = f"{outcome.tenant.slug} ({outcome.tenant.schema_name}): {outcome.error}"
            self._write(self._command.stderr, error)
        elif not shown:
            self.note(f"[{self._done}/{self._found}] {outcome.tenant.slug}")

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _write(self, stream: OutputWrapper, text: str) -> None:
        if self._bar is not None:
            self._bar.clear()
        stream.write(text)


def planned(result: dict[str, Any]) -> str:
    """What a run would do, in words."""
    lines = [f"public: {name}" for name in result["public"]]
    lines += ["a new template would be built"] if result["templateBuilt"] else []
    lines += [f"tenant: {slug}" for slug in result["tenants"]]
    if not lines:
        return _UP_TO_DATE
    return "\n".join([*lines, f"{len(result['public'])} migrations of public, {len(result['tenants'])} tenants."])


def summary(result: dict[str, Any]) -> str:
    """What a run did, in words."""
    migrated, failed = result["tenantsMigrated"], len(result["tenantsFailed"])
    if not (result["public"] or result["templateBuilt"] or migrated or failed):
        return _UP_TO_DATE
    template = "new template" if result["templateBuilt"] else "same template"
    lines = [
        f"public: {len(result['public'])} migrations; {template};"
        f" tenants: {migrated} migrated, {failed} failed; {result['seconds']:.1f} s"
    ]
    if result["stopped"]:
        lines.append("Stopped after these failures; the tenants behind them were not tried.")
    if result["slowest"]:
        slowest = ", ".join(f"{one['slug']} {one['seconds']:.2f} s" for one in result["slowest"])
        lines.append(f"each tenant: {result['medianSeconds']:.2f} s (median); slowest: {slowest}")
    return "\n".join(lines)


def as_json(result: Result, seconds: float) -> dict[str, Any]:
    return {
        "public": result.public,
        "templateBuilt": result.template_built,
        "tenantsMigrated": result.migrated,
        "tenantsFailed": [
            {"slug": outcome.tenant.slug, "schema": outcome.tenant.schema_name, "error": outcome.error}
            for outcome in result.failed
        ],
        "stopped": result.stopped,
        "medianSeconds": round(result.median_seconds, 3),
        "slowest": [{"slug": slug, "seconds": round(each, 3)} for slug, each in result.slowest()],
        "seconds": round(seconds, 3),
        "dryRun": False,
    }
