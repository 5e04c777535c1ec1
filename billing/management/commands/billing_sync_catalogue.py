"""``manage.py billing_sync_catalogue``: whether Stripe has the prices of the catalogue."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.services.catalogue_sync import catalogue_sync
from platform_site.errors import PlatformError

USAGE = 2


class Command(BaseCommand):
    help = (
        "Compares the catalogue of plans with Stripe's prices, by lookup key. With --create, makes the prices that are"
        " missing. A price that costs something else in Stripe is reported and left alone; with --replace a new one"
        " takes its place for who buys from now on. Exit code 1: something is missing or different. 2: billing is not"
        " set up, or Stripe does not answer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--create", action="store_true", help="make the prices that are missing")
        parser.add_argument("--replace", action="store_true", help="make new prices for those that are different")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = catalogue_sync(create=options["create"], replace=options["replace"])
        except PlatformError as error:
            raise CommandError(error.message, returncode=USAGE) from None
        if options["json"]:
            self.stdout.write(json.dumps(asdict(report)))
        else:
            for word, keys in asdict(report).items():
                for key in keys:
                    self.stdout.write(f"{word:<10} {key}")
        if not report.is_complete:
            raise CommandError("Stripe does not have the whole catalogue.", returncode=1)
