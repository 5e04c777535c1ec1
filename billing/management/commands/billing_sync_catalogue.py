"""``manage.py billing_sync_catalogue``: whether Stripe has the prices of the catalogue."""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandError

from billing.services.catalogue_sync import catalogue_sync
from platform_site.errors import PlatformError
from platform_site.management.operator import REFUSED, USAGE, OperatorCommand, refusal


class Command(OperatorCommand):
    help = (
        "Compares the catalogue of plans with Stripe's prices, by lookup key. With --create, makes the prices that are"
        " missing. A price that costs something else in Stripe is reported and left alone; with --replace a new one"
        " takes its place for who buys from now on. Exit code 1: something is missing or different. 2: billing is not"
        " set up, or Stripe does not answer."
    )
    writes = True

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("--create", action="store_true", help="make the prices that are missing")
        parser.add_argument("--replace", action="store_true", help="make new prices for those that are different")

    def run(self, **options: Any) -> dict[str, list[str]]:
        try:
            report = catalogue_sync(create=options["create"], replace=options["replace"], dry_run=options["dry_run"])
        except PlatformError as error:
            raise CommandError(refusal(error), returncode=USAGE) from error
        return asdict(report)

    def text(self, result: dict[str, list[str]]) -> str:
        return "\n".join(f"{word:<10} {key}" for word, keys in result.items() for key in keys)

    def exit_code(self, result: dict[str, list[str]]) -> int:
        return REFUSED if result["missing"] or result["different"] else 0

    def complaint(self, result: dict[str, list[str]]) -> str:
        return "Stripe does not have the whole catalogue."
