"""``manage.py seed_demo``: something to sign in to, on a fresh installation."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.directory.services import directory_sync
from accounts.models import User
from accounts.services.passwords import password_hash
from accounts.services.people import user_create
from accounts.staff.models import StaffUser
from platform_site.binding import bind
from platform_site.context import WorkContext, work_context
from tenancy.models import Tenant
from tenancy.registration import tenant_register

WORKSPACE = "demo"


class Command(BaseCommand):
    help = "Makes the workspace 'demo' with an administrator and a member, and one staff account."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--if-empty", action="store_true", help="do nothing when there is any tenant")

    def handle(self, *args: Any, if_empty: bool, **options: Any) -> None:
        if Tenant.objects.filter(slug=WORKSPACE).exists() or (if_empty and Tenant.objects.exists()):
            self.stdout.write("There is data already; nothing was seeded.")
            return
        with work_context(WorkContext(origin="seed_demo")):
            seed()
        self.stdout.write("Seeded workspace 'demo' and the staff account.")


def seed() -> None:
    """The fixed sign-ins that ``make run`` prints. Never for an installation that others can reach."""
    now = timezone.now()
    registered = tenant_register(
        company_name="Demo Company",
        slug=WORKSPACE,
        admin_email="admin@demo.test",
        admin_password="demo-admin-pass",  # noqa: S106 - fixed and printed on purpose
        admin_first_name="Dana",
        admin_last_name="Admin",
    )
    with bind(registered.tenant.ref):
        User.objects.filter(pk=registered.user.pk).update(email_verified_at=now)
        member = user_create(
            email="member@demo.test",
            first_name="Max",
            last_name="Member",
            password=password_hash("demo-member-pass"),
            verified_at=now,
        )
        # An invitation would do this; here nobody is invited.
        directory_sync(user_uuid=member.uuid)
    if not StaffUser.objects.exists():
        StaffUser.objects.create_superuser("staff@platform.test", "demo-staff-pass")
