"""``manage.py billing_webhook``: the endpoint at Stripe that tells us what happens."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from billing.services.webhook_endpoint import PATH, webhook_endpoint, webhook_url
from platform_site.errors import PlatformError
from platform_site.management.operator import REFUSED, USAGE, OperatorCommand, refusal


class Command(OperatorCommand):
    help = (
        "Says which webhook endpoint Stripe has for this installation, and whether it speaks the version of the API"
        " that this one does. With --create, makes it and prints its secret once, for STRIPE_WEBHOOK_SECRETS. Exit"
        " code 1: there is none, it is switched off, or it speaks another version. 2: billing is not set up, or"
        " Stripe does not answer."
    )
    writes = True

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", help=f"default: PUBLIC_URL{PATH}")
        parser.add_argument("--create", action="store_true", help="make the endpoint if there is none")

    def run(self, **options: Any) -> dict[str, Any]:
        url = options["url"] or webhook_url()
        try:
            endpoint = webhook_endpoint(url=url, create=options["create"] and not options["dry_run"])
        except PlatformError as error:
            raise CommandError(refusal(error), returncode=USAGE) from error
        if not endpoint.id:
            missing = {"ok": False, "url": url, "found": False}
            return {**missing, "wouldCreate": True} if options["create"] else missing
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

    def text(self, result: dict[str, Any]) -> str:
        return "\n".join(f"{name:<12} {value}" for name, value in result.items())

    def exit_code(self, result: dict[str, Any]) -> int:
        return 0 if result["ok"] or result.get("wouldCreate") else REFUSED

    def complaint(self, result: dict[str, Any]) -> str:
        return "The endpoint is not as it should be."
