"""``manage.py import_entities``: records of an app from a file, as the API registers and auto-links them."""

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from platform_site.api.exceptions import field_errors
from platform_site.errors import VALIDATION_FAILED, PlatformError
from platform_site.importing import Progress, Report, Row, Source
from registry.api.serializers import AutoLinkInput, RegisterEntityInput
from registry.management.importing import ImportCommand, Rows
from registry.services.records import PERSON, AppRecord, Snapshot
from registry.services.registering import entity_auto_link, entity_register


class Command(ImportCommand):
    help = (
        "Registers the rows of a CSV or JSON-lines file. Columns that the API does not know are what the app knows"
        " (the snapshot). Can be stopped and started again: it goes on where it was, and what is there stays. Exit code"
        " 1: some rows were refused, the report says which and why; 2: wrong usage."
    )
    batch = 200

    def options(self, parser: ArgumentParser) -> None:
        super().options(parser)
        parser.add_argument("--app", help="for rows that name none")
        parser.add_argument("--entity-type", help="for rows that name none")
        parser.add_argument("--entity-class", help=f"for rows that name none ({PERSON})")
        parser.add_argument(
            "--auto-link", action="store_true", help="find records by their address; else each row is one of its own"
        )

    def rows(self, source: Source, report: Report, options: Mapping[str, Any]) -> Rows:
        return _Rows(report, options)


class _Rows:
    """Checks rows as the API does, and hands them to the same services."""

    def __init__(self, report: Report, options: Mapping[str, Any]) -> None:
        self._report = report
        self._shape = AutoLinkInput if options["auto_link"] else RegisterEntityInput
        self._known = set(self._shape().fields)
        self._dry_run = options["dry_run"]
        given = {"app": options["app"], "entityType": options["entity_type"], "entityClass": options["entity_class"]}
        self._given = {name: value for name, value in given.items() if value}

    def store(self, rows: list[Row], progress: Progress) -> None:
        for row in rows:
            progress.count(self._one(row))

    def _one(self, row: Row) -> str:
        if row.problem:
            self._report.refuse(row, "malformed_row", row.problem)
            return "refused"
        read = self._shape(data=self._body(row.values))
        if not read.is_valid():
            self._report.refuse(
                row,
                VALIDATION_FAILED.key,
                VALIDATION_FAILED.message,
                [one.as_dict() for one in field_errors(read.errors)],
            )
            return "refused"
        if self._dry_run:
            return "valid"
        try:
            return self._write(read.validated_data)
        except PlatformError as error:
            self._report.refuse(row, error.code.key, error.message)
            return "refused"

    def _body(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What the API does not know by name is part of the snapshot."""
        body = {**self._given, **{name: value for name, value in values.items() if name in self._known}}
        more = {name: value for name, value in values.items() if name not in self._known}
        if more:
            snapshot = body.get("snapshot", {})
            body["snapshot"] = {**snapshot, **more} if isinstance(snapshot, dict) else snapshot
        return body

    def _write(self, data: dict[str, Any]) -> str:
        record = AppRecord(data["app"], data["entity_type"], data["entity_id"])
        snapshot = Snapshot.of(more=data.get("snapshot"), at=data.get("observed_at"))
        entity_class = data.get("entity_class", PERSON)
        if self._shape is AutoLinkInput:
            done = entity_auto_link(
                email=data["email"],
                name=data.get("name", ""),
                record=record,
                entity_class=entity_class,
                snapshot=snapshot,
            )
            return done.registered.action
        registered = entity_register(
            name=data["name"],
            email=data.get("email") or "",
            record=record,
            entity_class=entity_class,
            snapshot=snapshot,
            if_email_exists=data.get("if_email_exists", "create"),
        )
        return registered.action
