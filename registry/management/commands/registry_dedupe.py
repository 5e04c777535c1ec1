"""``manage.py registry_dedupe``: look through a whole tenant for records that may be the same one."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from django.core.management.base import CommandError

from platform_site.binding import bind
from platform_site.management.operator import REFUSED, USAGE, OperatorCommand, tenant_named
from registry.models import Entity
from registry.services.candidates import Candidate, candidates_of, entity_compare

_PAGE: Final = 500


class Command(OperatorCommand):
    help = (
        "Compares each record with those that have something in common with it, and notes pairs that may be one, for a"
        " person to decide. Nothing is merged. What is noted for changed texts is noted anew. Exit code 1: it was"
        " stopped, and says where to go on. 2: wrong usage."
    )
    writes = True

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("tenant", help="the tenant's slug")
        parser.add_argument("--entity-class", help="only records of this class")
        parser.add_argument("--after", help="go on behind this canonical id, which an earlier run printed")

    def run(self, **options: Any) -> dict[str, Any]:
        tenant = tenant_named(options["tenant"])
        after = _id(options["after"]) if options["after"] else None
        seen, pairs = 0, set[tuple[UUID, ...]]()
        last = after
        with bind(tenant):
            rows = Entity.objects.filter(status=Entity.Status.ACTIVE)
            if options["entity_class"]:
                rows = rows.filter(entity_class=options["entity_class"])
            total = (rows.filter(id__gt=after) if after else rows).count()
            try:
                for entity in self.progress(_pages(rows, after), total=total, unit="record"):
                    found = _compare(entity, dry_run=options["dry_run"])
                    # Each pair is met from both its ends, or from one of them only.
                    pairs.update(tuple(sorted([entity.id, one.entity.id])) for one in found)
                    seen, last = seen + 1, entity.id
            except KeyboardInterrupt:
                said = f"Stopped after {seen:,} records; go on with --after {last}."
                raise CommandError(said, returncode=REFUSED) from None
        return {"records": seen, "pairs": len(pairs)}

    def text(self, result: dict[str, Any]) -> str:
        return f"{result['records']:,} records, {result['pairs']:,} pairs that may be one."


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
