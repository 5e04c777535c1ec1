"""``manage.py tenants_reap``: what the scheduler does every five minutes, by hand."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any, Final

from platform_site.management.operator import REFUSED, OperatorCommand
from tenancy.provisioning.reaper import reap

_NAMES: Final = {"sign_ups": "signUps", "held_back": "heldBack"}
_KINDS: Final = {"signUps": "sign-up", "schemas": "schema", "templates": "template"}


class Command(OperatorCommand):
    help = (
        "Removes sign-ups that never ended, schemas without a tenant, and templates that nobody names. Exit code 1:"
        " there are more schemas without a tenant than crashes explain, and they were left."
    )
    writes = True
    needs_owner = True

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--force",
            action="store_true",
            help="also when there are more schemas without a tenant than crashes explain",
        )

    def run(self, **options: Any) -> dict[str, Any]:
        reaped = asdict(reap(dry_run=options["dry_run"], force=options["force"]))
        return {**{_NAMES.get(name, name): found for name, found in reaped.items()}, "dryRun": options["dry_run"]}

    def text(self, result: dict[str, Any]) -> str:
        verb = "would be removed" if result["dryRun"] else "removed"
        lines = [f"{verb}: {word} {name}" for kind, word in _KINDS.items() for name in result[kind]]
        return "\n".join(lines) or "Nothing to remove."

    def exit_code(self, result: dict[str, Any]) -> int:
        return REFUSED if result["heldBack"] else 0

    def complaint(self, result: dict[str, Any]) -> str:
        return (
            f"{len(result['heldBack'])} schemas have no tenant. That is more than crashes explain: perhaps rows"
            " were lost. Nothing of theirs was removed; --force removes them for good."
        )
