"""``manage.py tenants_reap``: what the scheduler does every five minutes, by hand."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from platform_site.owner import as_owner
from tenancy.provisioning.reaper import Reaped, reap


class Command(BaseCommand):
    help = "Removes sign-ups that never ended, schemas without a tenant, and templates that nobody names."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--force",
            action="store_true",
            help="also when there are more schemas without a tenant than crashes explain",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with as_owner():
            reaped = reap(dry_run=options["dry_run"], force=options["force"])
        self.stdout.write(json.dumps(as_json(reaped)) if options["json"] else as_text(reaped, options["dry_run"]))
        if reaped.held_back:
            raise CommandError(
                f"{len(reaped.held_back)} schemas have no tenant. That is more than crashes explain: perhaps rows"
                " were lost. Nothing of theirs was removed; --force removes them for good."
            )


def as_json(reaped: Reaped) -> dict[str, list[str]]:
    names = {"sign_ups": "signUps", "held_back": "heldBack"}
    return {names.get(name, name): values for name, values in asdict(reaped).items()}


def as_text(reaped: Reaped, dry_run: bool) -> str:
    verb = "would be removed" if dry_run else "removed"
    lines = [f"{verb}: {kind} {name}" for kind, names in _kinds(reaped) for name in names]
    return "\n".join(lines) or "Nothing to remove."


def _kinds(reaped: Reaped) -> list[tuple[str, list[str]]]:
    return [("sign-up", reaped.sign_ups), ("schema", reaped.schemas), ("template", reaped.templates)]
