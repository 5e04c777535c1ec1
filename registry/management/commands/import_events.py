"""``manage.py import_events``: what happened to people and companies, from a file, as /platform-events takes it."""

import hashlib
import json
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any, Final

from django.db import transaction
from django.db.models import Q
from msgspec import Raw

from events.sent import MAX_BATCH, Refused
from events.services.ingest import Ingested, events_ingest
from platform_site.importing import Progress, Report, Row, Source
from registry.management.importing import ImportCommand, Rows
from registry.models import Link

# What the API calls an event's fields; everything else in a row is metadata.
FIELDS: Final = ("canonicalId", "app", "category", "action", "occurredAt", "messageId", "actorId", "source", "metadata")


class Command(ImportCommand):
    help = (
        "Writes the rows of a CSV or JSON-lines file down as events. A row names its record by canonicalId, or by"
        " entityType and entityId of a linked record of its app. Columns that the API does not know are metadata. A row"
        " without a messageId gets one from its place in the file, so that no row is written twice however often the"
        " command is stopped and started. Exit code 1: some rows were refused, the report says which and why; 2: wrong"
        " usage."
    )
    batch = MAX_BATCH

    def options(self, parser: ArgumentParser) -> None:
        super().options(parser)
        for name in ("app", "category", "action"):
            parser.add_argument(f"--{name}", help="for rows that name none")

    def rows(self, source: Source, report: Report, options: Mapping[str, Any]) -> Rows:
        return _Rows(source, report, options)


class _Rows:
    """Hands batches to ingest, as the API does."""

    def __init__(self, source: Source, report: Report, options: Mapping[str, Any]) -> None:
        self._report = report
        self._dry_run = options["dry_run"]
        self._given = {name: options[name] for name in ("app", "category", "action") if options[name]}
        file = f"{source.path.name}\x1f{source.fresh.size}"
        self._prefix = f"import:{hashlib.sha256(file.encode()).hexdigest()[:16]}"

    def store(self, rows: list[Row], progress: Progress) -> None:
        readable = []
        for row in rows:
            if row.problem:
                self._report.refuse(row, "malformed_row", row.problem)
                progress.count("refused")
            else:
                readable.append(row)
        bodies = self._bodies(readable)
        with transaction.atomic():
            report = events_ingest(items=[Raw(json.dumps(body).encode()) for body in bodies])
            transaction.set_rollback(self._dry_run)
        for row, result in zip(readable, report.results, strict=True):
            if isinstance(result, Refused):
                first = result.problems[0]
                details = [problem.as_dict() for problem in result.problems]
                self._report.refuse(row, first.code, first.message, details)
                progress.count("refused")
            elif isinstance(result, Ingested):
                progress.count("duplicate" if result.again else "valid" if self._dry_run else "written")

    def _bodies(self, rows: list[Row]) -> list[dict[str, Any]]:
        bodies = [self._body(row) for row in rows]
        wanted = {_named(body) for body in bodies if "canonicalId" not in body} - {None}
        canonical = _canonical_ids([one for one in wanted if one is not None])
        for body in bodies:
            named = _named(body)
            if "canonicalId" not in body and named in canonical:
                body["canonicalId"] = canonical[named]
        return bodies

    def _body(self, row: Row) -> dict[str, Any]:
        values = dict(row.values)
        body: dict[str, Any] = {**self._given, **{name: values.pop(name) for name in FIELDS if name in values}}
        kind, number = values.pop("entityType", None), values.pop("entityId", None)
        if kind is not None and number is not None:
            body.setdefault("source", {"entityType": kind, "entityId": number})
        if values:
            metadata = body.get("metadata", {})
            body["metadata"] = {**metadata, **values} if isinstance(metadata, dict) else metadata
        body.setdefault("messageId", f"{self._prefix}:{row.line}")
        return body


def _named(body: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """The record of an app that an event is about."""
    source = body.get("source")
    if not isinstance(source, Mapping):
        return None
    return str(body.get("app")), str(source.get("entityType")), str(source.get("entityId"))


def _canonical_ids(records: list[tuple[str, str, str]]) -> dict[tuple[str, str, str], str]:
    """Whom these records of apps stand for, in one query."""
    if not records:
        return {}
    wanted = Q()
    for app, kind in {(app, kind) for app, kind, _ in records}:
        ids = [number for one, other, number in records if (one, other) == (app, kind)]
        wanted |= Q(app=app, entity_type=kind, entity_id_in_app__in=ids)
    links = Link.objects.filter(wanted, unlinked_at=None)
    return {
        (app, kind, number): str(canonical_id)
        for app, kind, number, canonical_id in links.values_list("app", "entity_type", "entity_id_in_app", "entity_id")
    }
