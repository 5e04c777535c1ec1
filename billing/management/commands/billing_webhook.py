"""``manage.py billing_webhook``: the endpoint at Stripe that tells us what happens."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from billing.services.webhook_endpoint import PATH, webhook_endpoint, webhook_url
from platform_site.errors import PlatformError

USAGE = 2


class Command(BaseCommand):
    help = (
        "Says which webhook endpoint Stripe has for this installation, and whether it speaks the version of the API"
        " that this one does. With --create, makes it and prints its secret once, for STRIPE_WEBHOOK_SECRETS. Exit"
        " code 1: there is none, it is switched off, or it speaks another version. 2: billing is not set up, or"
        " Stripe does not answer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", help=f"default: PUBLIC_URL{PATH}")
        parser.add_argument("--create", action="store_true", help="make the endpoint if there is none")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        url = options["url"] or webhook_url()
        try:
            report = self._look(url, create=options["create"])
        except PlatformError as error:
            raise CommandError(error.message, returncode=USAGE) from None
        if options["json"]:
            self.stdout.write(json.dumps(report))
        else:
            for name, value in report.items():
                self.stdout.write(f"{name:<12} {value}")
        if not report["ok"]:
            raise CommandError("The endpoint is not as it should be.", returncode=1)

    def _look(self, url: str, *, create: bool) -> dict[str, Any]:
        endpoint = webhook_endpoint(url=url, create=create)
        if not endpoint.id:
            return {"ok": False, "url": url, "found": False}
        report = {
            "ok": endpoint.is_fine,
            "url": url,
            "found": True,
            "id": endpoint.id,
            "status": endpoint.status,
            "version": endpoint.version or None,
            "ourVersion": endpoint.our_version,
            "missing": endpoint.missing,
        }
        return {**report, "secret": endpoint.secret} if endpoint.secret else report
