"""``manage.py migrate_all``: the one command that changes the database's schema."""

import json
import os
import time
from argparse import SUPPRESS, ArgumentParser
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand, CommandError, OutputWrapper
from django.db import DatabaseError
from tqdm import tqdm

from platform_site.owner import as_owner
from tenancy.migrating.history import MigrationRefused
from tenancy.migrating.run import Extent, Result, migrate_all
from tenancy.migrating.tenants import Outcome, describe
from tenancy.migrating.worker import serve
from tenancy.models import Tenant
from tenancy.provisioning.snapshot import SnapshotRefused


class Command(BaseCommand):
    help = (
        "Migrates public, the template for sign-ups, and every tenant that is behind. Can be run again at any"
        " time, also after it was killed. Exit code 1: a tenant failed, the others are done."
    )
    requires_system_checks = (Tags.models,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--workers", type=int, default=os.cpu_count() or 1, help="processes at once (default: one per processor)"
        )
        parser.add_argument("--public-only", action="store_true", help="leave the template and the tenants alone")
        parser.add_argument("--only", nargs="+", default=[], metavar="SLUG", help="of the tenants only these")
        parser.add_argument("--limit", type=int, help="at most so many tenants")
        parser.add_argument("--stop-after-failures", type=int, metavar="N", help="begin no more once N tenants failed")
        parser.add_argument("--json", action="store_true", help="print one JSON object about what was done")
        parser.add_argument("--worker", action="store_true", help=SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["worker"]:
            serve()
            return
        if options["workers"] < 1:
            raise CommandError("--workers must be at least 1.", returncode=2)
        extent = self._extent(**options)
        begun = time.monotonic()
        progress = Progress(self.stdout, self.stderr, quiet=options["json"] or options["verbosity"] == 0)
        try:
            with as_owner():
                result = migrate_all(
                    workers=options["workers"], reporter=progress, public_only=options["public_only"], extent=extent
                )
        except (MigrationRefused, SnapshotRefused, DatabaseError) as error:
            raise CommandError(f"Stopped before the tenants: {describe(error)}") from error
        finally:
            progress.close()
        seconds = time.monotonic() - begun
        if options["json"]:
            self.stdout.write(json.dumps(as_json(result, seconds)))
        else:
            progress.note(summary(result, seconds))
        if result.failed:
            raise CommandError(f"{len(result.failed)} tenants failed. Run migrate_all again when it is mended.")

    def _extent(self, **options: Any) -> Extent:
        for name in ("limit", "stop_after_failures"):
            if options[name] is not None and options[name] < 1:
                raise CommandError(f"--{name.replace('_', '-')} must be at least 1.", returncode=2)
        if options["only"]:
            known = set(Tenant.objects.filter(slug__in=options["only"]).values_list("slug", flat=True))
            if unknown := sorted(set(options["only"]) - known):
                raise CommandError(f"There is no tenant {', '.join(unknown)}.", returncode=2)
        return Extent(options["only"], options["limit"], options["stop_after_failures"])


class Progress:
    """A bar on a terminal, else a line for each thing that was done; errors always have a line."""

    def __init__(self, out: OutputWrapper, err: OutputWrapper, *, quiet: bool) -> None:
        self._out = out
        self._err = err
        self._quiet = quiet
        self._bar: tqdm[Any] | None = None
        self._found = self._done = 0

    def note(self, text: str) -> None:
        if not self._quiet:
            self._write(self._out, text)

    def tenants_found(self, count: int) -> None:
        self._found += count
        if self._err.isatty():
            self._bar = self._bar or tqdm(total=0, unit="tenant", file=self._err, leave=False)
            self._bar.total = self._found
            self._bar.refresh()

    def tenant_done(self, outcome: Outcome) -> None:
        self._done += 1
        if self._bar is not None:
            self._bar.update()
        if outcome.error:
            self._write(self._err, f"{outcome.tenant.slug} ({outcome.tenant.schema_name}): {outcome.error}")
        elif self._bar is None:
            self.note(f"[{self._done}/{self._found}] {outcome.tenant.slug}")

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _write(self, stream: OutputWrapper, text: str) -> None:
        if self._bar is not None:
            self._bar.clear()
        stream.write(text)


def summary(result: Result, seconds: float) -> str:
    if not (result.public or result.template_built or result.migrated or result.failed):
        return "Everything is up to date."
    template = "new template" if result.template_built else "same template"
    lines = [
        f"public: {len(result.public)} migrations; {template};"
        f" tenants: {result.migrated} migrated, {len(result.failed)} failed; {seconds:.1f} s"
    ]
    if result.stopped:
        lines.append("Stopped after these failures; the tenants behind them were not tried.")
    if result.seconds:
        slowest = ", ".join(f"{slug} {each:.2f} s" for slug, each in result.slowest())
        lines.append(f"each tenant: {result.median_seconds:.2f} s (median); slowest: {slowest}")
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
    }
