"""``manage.py staff_password EMAIL``"""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts.management.staff import password_from_stdin, require_password
from accounts.staff.models import StaffUser
from platform_site import limits
from platform_site.management.operator import USAGE, OperatorCommand, rehearsed


class Command(OperatorCommand):
    help = (
        "Gives a staff account another password, from the first line of standard input. Everybody who is signed in"
        " with it is signed out. Exit code 1: the password is refused. 2: there is no such account."
    )
    writes = True

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="of the staff account")

    def run(self, **options: Any) -> dict[str, Any]:
        email = options["email"].strip().lower()
        staff = StaffUser.objects.filter(email=email).first()
        if staff is None:
            raise CommandError(f"There is no staff account {email!r}.", returncode=USAGE)
        password = password_from_stdin()
        require_password(password, staff)
        # Sessions of the admin are bound to the password's hash, so they end with it.
        staff.set_password(password)
        with rehearsed(options["dry_run"]):
            staff.save(update_fields=["password"])
        if not options["dry_run"]:
            limits.forget("staff_sign_in_account", email)
        return {"email": email, "active": staff.is_active, "dryRun": bool(options["dry_run"])}

    def text(self, result: dict[str, Any]) -> str:
        would = "would have" if result["dryRun"] else "has"
        inactive = "" if result["active"] else " The account is not active and cannot sign in."
        return f"{result['email']} {would} another password.{inactive}"
