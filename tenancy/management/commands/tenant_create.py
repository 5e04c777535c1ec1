"""``manage.py tenant_create SLUG --name TEXT --admin-email ADDRESS``"""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.db import transaction

from accounts.management.staff import password_from_stdin
from accounts.models import Session
from accounts.services.password_reset import password_forgot
from accounts.services.passwords import password_check
from accounts.services.sessions import sessions_revoke
from platform_site.binding import bind
from platform_site.emails import require_address
from platform_site.errors import VALIDATION_FAILED, invalid_field
from platform_site.management.operator import OperatorCommand
from tenancy import errors
from tenancy.management.tenants import as_json
from tenancy.registration import Registered, tenant_register
from tenancy.slugs import slug_is_taken, slug_normalized, slug_refusal


class Command(OperatorCommand):
    help = (
        "Makes a tenant with its first administrator, as sign-up does. The administrator gets a mail with a link to"
        " set a password, or has the one that comes on standard input with --password-stdin."
    )
    writes = True

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="its address, 3 to 40 lower-case letters, digits and hyphens")
        parser.add_argument("--name", required=True, help="the company's name")
        parser.add_argument("--admin-email", required=True, help="of the first administrator")
        parser.add_argument("--first-name", default="")
        parser.add_argument("--last-name", default="")
        parser.add_argument(
            "--password-stdin", action="store_true", help="read the password from the first line of standard input"
        )

    def run(self, **options: Any) -> dict[str, Any]:
        slug, address = slug_normalized(options["slug"]), require_address(options["admin_email"])
        password = password_from_stdin() if options["password_stdin"] else secrets.token_urlsafe(32)
        self._check(slug, address, password, options)
        if options["dry_run"]:
            return {"slug": slug, "name": options["name"], "adminEmail": address, "mailed": False, "dryRun": True}
        registered = tenant_register(
            company_name=options["name"].strip(),
            slug=slug,
            admin_email=address,
            admin_password=password,
            admin_first_name=options["first_name"],
            admin_last_name=options["last_name"],
        )
        self._end_session(registered)
        if not options["password_stdin"]:
            password_forgot(email=address, tenant_slug=slug)
        return {
            **as_json(registered.tenant),
            "adminEmail": address,
            "adminId": str(registered.user.uuid),
            "mailed": not options["password_stdin"],
            "dryRun": False,
        }

    def _check(self, slug: str, address: str, password: str, options: dict[str, Any]) -> None:
        """What sign-up would refuse, before anything is written."""
        refused = slug_refusal(slug) or (errors.SLUG_TAKEN if slug_is_taken(slug) else None)
        if refused is not None:
            raise invalid_field("slug", refused)
        if not 1 <= len(options["name"].strip()) <= 100:
            raise invalid_field("name", VALIDATION_FAILED, "A name has 1 to 100 characters.")
        context = [options["name"], slug, address, options["first_name"], options["last_name"], settings.PRODUCT_NAME]
        password_check(password, field="password", context=context)

    def _end_session(self, registered: Registered) -> None:
        """Sign-up begins a session for whoever signed up; here that would be the operator."""
        with bind(registered.tenant.ref), transaction.atomic():
            started = list(Session.objects.filter(user=registered.user).values_list("id", flat=True))
            sessions_revoke(session_ids=started, reason="made_by_operator")

    def text(self, result: dict[str, Any]) -> str:
        if result["dryRun"]:
            return f"{result['slug']} would be made, with {result['adminEmail']} as its administrator."
        told = "A mail with a link to set a password is on its way." if result["mailed"] else "The password is set."
        return f"{result['slug']} is made, with {result['adminEmail']} as its administrator. {told}"
