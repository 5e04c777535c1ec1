"""What the commands have in common that read a file into a tenant."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final, Protocol

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from platform_site.binding import bind
from platform_site.context import WorkContext, work_context
from platform_site.importing import FORMATS, Progress, Report, Row, Source, UnreadableFile, import_rows
from platform_site.tenants import find_tenant

USAGE: Final = 2


class Rows(Protocol):
    """Stores a batch of rows, counts what became of them, and refuses those that are wrong by the report."""

    def store(self, rows: list[Row], progress: Progress) -> None: ...


class ImportCommand(BaseCommand):
    """Exit codes: 0 all is there; 1 some rows were refused, and the report says which and why; 2 wrong usage."""

    # Rows between two marks of how far we are.
    batch: ClassVar[int]

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("file", type=Path, help="CSV with a header, or JSON lines")
        parser.add_argument("--format", choices=FORMATS, default="", help="where the file's name does not say it")
        parser.add_argument("--report", type=Path, help="refused rows (default: <file>.refused.jsonl)")
        parser.add_argument("--dry-run", action="store_true", help="only check the rows")
        parser.add_argument("--json", action="store_true", help="print one JSON object about what was done")

    def rows(self, source: Source, report: Report, options: Mapping[str, Any]) -> Rows:
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = find_tenant(slug=options["tenant"])
        if tenant is None:
            raise CommandError(f"There is no tenant {options['tenant']!r}.", returncode=USAGE)
        path: Path = options["file"]
        report = Report(options["report"] or path.with_name(path.name + ".refused.jsonl"))
        origin = type(self).__module__.rpartition(".")[2]
        quiet = options["json"] or not self.stderr.isatty()
        try:
            source = Source(path, format=options["format"])
            with (
                work_context(WorkContext(origin=origin)),
                bind(tenant),
                tqdm(total=source.fresh.size, unit="B", unit_scale=True, file=self.stderr, disable=quiet) as bar,
            ):
                rows = self.rows(source, report, options)
                progress = import_rows(
                    source, report, batch=self.batch, store=rows.store, told=lambda size: bar.update(size)
                )
        except (OSError, UnreadableFile) as error:
            raise CommandError(str(error), returncode=USAGE) from error
        self._say(progress, report, options)

    def _say(self, progress: Progress, report: Report, options: Mapping[str, Any]) -> None:
        counts = progress.counts
        refused = counts.get("refused", 0)
        if options["json"]:
            self.stdout.write(json.dumps({"counts": counts, "report": str(report.path) if refused else None}))
        else:
            said = ", ".join(f"{number:,} {name}" for name, number in sorted(counts.items())) or "no rows"
            self.stdout.write(f"{'Checked' if options['dry_run'] else 'Imported'}: {said}.")
        if refused:
            raise CommandError(f"{refused:,} rows were refused; see {report.path}.")
