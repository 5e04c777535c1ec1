"""``manage.py billing_webhook``: the endpoint at Stripe that tells us what happens."""

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from billing.services.events import SYNCED
from billing.stripe_api import stripe_api
from platform_site.errors import PlatformError

USAGE = 2
PATH = "/api/v1/billing/webhook"


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
        url = options["url"] or f"{settings.PUBLIC_URL}{PATH}"
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
        import stripe

        api, version = stripe_api(), stripe.api_version
        endpoint = next((one for one in api.webhook_endpoints() if one["url"] == url), None)
        if endpoint is None and create:
            params = {"url": url, "enabled_events": sorted(SYNCED), "api_version": version}
            endpoint = api.webhook_endpoint_create(params)
        if endpoint is None:
            return {"ok": False, "url": url, "found": False}
        listens = set(endpoint["enabled_events"])
        missing = [] if "*" in listens else sorted(SYNCED - listens)
        ok = endpoint["status"] == "enabled" and endpoint["api_version"] == version and not missing
        report = {
            "ok": ok,
            "url": url,
            "found": True,
            "id": endpoint["id"],
            "status": endpoint["status"],
            "version": endpoint["api_version"],
            "ourVersion": version,
            "missing": missing,
        }
        return {**report, "secret": endpoint["secret"]} if endpoint.get("secret") else report
