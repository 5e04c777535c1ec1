"""What the commands have in common that read a file into a tenant."""

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

from django.core.management.base import CommandError

from platform_site.binding import bind
from platform_site.importing import FORMATS, Progress, Report, Row, Source, UnreadableFile, import_rows
from platform_site.management.operator import REFUSED, USAGE, OperatorCommand, tenant_named


class Rows(Protocol):
    """Stores a batch of rows, counts what became of them, and refuses those that are wrong by the report."""

    def store(self, rows: list[Row], progress: Progress) -> None: ...


class ImportCommand(OperatorCommand):
    """Exit codes: 0 all is there; 1 some rows were refused, and the report says which and why; 2 wrong usage."""

    writes = True
    # Rows between two marks of how far we are.
    batch: ClassVar[int]

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("file", type=Path, help="CSV with a header, or JSON lines")
        parser.add_argument("--format", choices=FORMATS, default="", help="where the file's name does not say it")
        parser.add_argument("--report", type=Path, help="refused rows (default: <file>.refused.jsonl)")

    def rows(self, source: Source, report: Report, options: Mapping[str, Any]) -> Rows:
        raise NotImplementedError

    def run(self, **options: Any) -> dict[str, Any]:
        tenant = tenant_named(options["tenant"])
        path: Path = options["file"]
        report = Report(options["report"] or path.with_name(path.name + ".refused.jsonl"))
        try:
            source = Source(path, format=options["format"])
            with bind(tenant), self.bar(total=source.fresh.size, unit="B", unit_scale=True) as bar:
                rows = self.rows(source, report, options)
                progress = import_rows(
                    source, report, batch=self.batch, store=rows.store, told=lambda size: bar.update(size)
                )
        except (OSError, UnreadableFile) as error:
            raise CommandError(str(error), returncode=USAGE) from error
        refused = str(report.path) if progress.counts.get("refused") else None
        return {"counts": progress.counts, "report": refused, "dryRun": options["dry_run"]}

    def text(self, result: dict[str, Any]) -> str:
        said = ", ".join(f"{number:,} {name}" for name, number in sorted(result["counts"].items())) or "no rows"
        return f"{'Checked' if result['dryRun'] else 'Imported'}: {said}."

    def exit_code(self, result: dict[str, Any]) -> int:
        return REFUSED if result["report"] else 0

    def complaint(self, result: dict[str, Any]) -> str:
        return f"{result['counts']['refused']:,} rows were refused; see {result['report']}."
