"""``manage.py send_test_mail ADDRESS [--tenant SLUG]``"""

from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings

from notifications.email_settings.platform_testing import platform_test
from notifications.email_settings.smtp_server import server_row
from notifications.email_settings.smtp_testing import server_probe
from notifications.errors import SMTP_NOT_CONFIGURED
from platform_site.binding import bind
from platform_site.emails import require_address
from platform_site.errors import PlatformError
from platform_site.management.operator import REFUSED, OperatorCommand, tenant_named


class Command(OperatorCommand):
    help = (
        "Sends a mail through the platform's mail server, or with --tenant through that tenant's own, and says how far"
        " it came. Exit code 1: it did not go, or there is no such server."
    )
    writes = True

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("address", help="to whom")
        parser.add_argument("--tenant", metavar="SLUG", help="through the mail server that this tenant configured")

    def run(self, **options: Any) -> dict[str, Any]:
        to, dry_run = require_address(options["address"]), bool(options["dry_run"])
        if not options["tenant"]:
            told = {"via": "platform", "server": _platform_server(), "to": to, "dryRun": dry_run}
            return told if dry_run else {**told, **asdict(platform_test(to=to))}
        with bind(tenant_named(options["tenant"])):
            row = server_row()
            if row is None:
                raise PlatformError(SMTP_NOT_CONFIGURED)
            told = {"via": options["tenant"], "server": f"{row.host}:{row.port}", "to": to, "dryRun": dry_run}
            return told if dry_run else {**told, **asdict(server_probe(to=to)), "said": ""}

    def text(self, result: dict[str, Any]) -> str:
        whose = "the platform's mail server" if result["via"] == "platform" else f"the mail server of {result['via']}"
        if result["dryRun"]:
            return f"A mail to {result['to']} would go through {whose} ({result['server']})."
        if result["ok"]:
            return f"{whose} ({result['server']}) took the mail to {result['to']} in {result['latency_ms']} ms."
        said = " ".join(str(part) for part in (result["smtp_code"] or "", result["said"]) if part)
        line = f"{whose} ({result['server']}): {result['code']} at {result['stage'].upper().replace('_', ' ')}"
        return f"{line}: {said}" if said else f"{line}."

    def exit_code(self, result: dict[str, Any]) -> int:
        return 0 if result["dryRun"] or result["ok"] else REFUSED


def _platform_server() -> str:
    if settings.EMAIL_BACKEND.endswith(".smtp.EmailBackend"):
        return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    return str(settings.EMAIL_BACKEND)
