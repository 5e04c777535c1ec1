"""``manage.py registry_dedupe``: look through a whole tenant for records that may be the same one."""

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from platform_site.binding import bind
from platform_site.context import WorkContext, work_context
from platform_site.tenants import find_tenant
from registry.models import Entity
from registry.services.candidates import Candidate, candidates_of, entity_compare

USAGE: Final = 2
_PAGE: Final = 500
_ORIGIN: Final = "registry_dedupe"


class Command(BaseCommand):
    help = (
        "Compares each record with those that have something in common with it, and notes pairs that may be one, for a"
        " person to decide. Nothing is merged. What is noted for changed texts is noted anew. Exit code 2: wrong usage."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("--entity-class", help="only records of this class")
        parser.add_argument("--after", help="go on behind this canonical id, which an earlier run printed")
        parser.add_argument("--dry-run", action="store_true", help="only count pairs")
        parser.add_argument("--json", action="store_true", help="print one JSON object about what was done")

    def handle(self, *args: Any, **options: Any) -> None:
        tenant = find_tenant(slug=options["tenant"])
        if tenant is None:
            raise CommandError(f"There is no tenant {options['tenant']!r}.", returncode=USAGE)
        after = _id(options["after"]) if options["after"] else None
        seen, pairs = 0, set[tuple[UUID, ...]]()
        last = after
        with work_context(WorkContext(origin=_ORIGIN)), bind(tenant):
            rows = Entity.objects.filter(status=Entity.Status.ACTIVE)
            if options["entity_class"]:
                rows = rows.filter(entity_class=options["entity_class"])
            quiet = options["json"] or not self.stderr.isatty()
            total = (rows.filter(id__gt=after) if after else rows).count()
            try:
                for entity in tqdm(_pages(rows, after), total=total, unit="record", file=self.stderr, disable=quiet):
                    found = _compare(entity, dry_run=options["dry_run"])
                    # Each pair is met from both its ends, or from one of them only.
                    pairs.update(tuple(sorted([entity.id, one.entity.id])) for one in found)
                    seen, last = seen + 1, entity.id
            except KeyboardInterrupt:
                raise CommandError(f"Stopped after {seen:,} records; go on with --after {last}.") from None
        if options["json"]:
            self.stdout.write(json.dumps({"records": seen, "pairs": len(pairs)}))
        else:
            self.stdout.write(f"{seen:,} records, {len(pairs):,} pairs that may be one.")


def _compare(entity: Entity, *, dry_run: bool) -> list[Candidate]:
    if dry_run:
        return candidates_of(entity, without_dismissed=True)
    return entity_compare(canonical_id=entity.id)


def _pages(rows: Any, after: UUID | None) -> Iterator[Entity]:
    """By id, read in pages, so that a million fit."""
    while True:
        page = list((rows.filter(id__gt=after) if after else rows).order_by("id")[:_PAGE])
        if not page:
            return
        yield from page
        after = page[-1].id


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise CommandError(f"{text!r} is no canonical id.", returncode=USAGE) from None
