"""``manage.py staff_create EMAIL --role ROLE``"""

from argparse import ArgumentParser
from typing import Any

from accounts.management.staff import password_from_stdin, require_password
from accounts.staff.models import StaffUser
from accounts.staff.roles import StaffRole
from platform_site.emails import require_address
from platform_site.errors import CONFLICT, PlatformError
from platform_site.management.operator import OperatorCommand, rehearsed


class Command(OperatorCommand):
    help = (
        "Makes a staff account; the password is read from the first line of standard input. Exit code 1: there is one"
        " with this address, or the password is refused."
    )
    writes = True

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the address to sign in with")
        parser.add_argument("--role", choices=StaffRole.values, default=StaffRole.VIEWER, help="default: %(default)s")
        parser.add_argument("--first-name", default="")
        parser.add_argument("--last-name", default="")

    def run(self, **options: Any) -> dict[str, Any]:
        email = require_address(options["email"]).lower()
        if StaffUser.objects.filter(email=email).exists():
            raise PlatformError(CONFLICT, f"There is a staff account {email} already; see staff_password.")
        password = password_from_stdin()
        staff = StaffUser(
            email=email,
            username=email,
            role=options["role"],
            first_name=options["first_name"],
            last_name=options["last_name"],
            is_staff=True,
        )
        require_password(password, staff)
        staff.set_password(password)
        with rehearsed(options["dry_run"]):
            staff.save()
        return {"email": email, "role": str(options["role"]), "dryRun": bool(options["dry_run"])}

    def text(self, result: dict[str, Any]) -> str:
        would = "would be" if result["dryRun"] else "is"
        return f"{result['email']} {would} staff, as {result['role']}."
