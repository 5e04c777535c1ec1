"""The sign-ins that ``make run`` prints."""

from django.utils import timezone

from accounts.directory.services import directory_sync
from accounts.models import User
from accounts.services.passwords import password_hash
from accounts.services.people import user_create
from accounts.staff.models import StaffUser
from platform_site.binding import bind
from tenancy.registration import tenant_register

WORKSPACE = "demo"
ADMIN_PASSWORD = "demo-admin-pass"  # noqa: S105 - fixed and printed on purpose
MEMBER_PASSWORD = "demo-member-pass"  # noqa: S105 - likewise


def seed() -> None:
    """The fixed sign-ins that ``make run`` prints. Never for an installation that others can reach."""
    now = timezone.now()
    registered = tenant_register(
        company_name="Demo Company",
        slug=WORKSPACE,
        admin_email="admin@demo.test",
        admin_password=ADMIN_PASSWORD,
        admin_first_name="Dana",
        admin_last_name="Admin",
    )
    with bind(registered.tenant.ref):
        User.objects.filter(pk=registered.user.pk).update(email_verified_at=now)
        member = user_create(
            email="member@demo.test",
            first_name="Max",
            last_name="Member",
            password=password_hash(MEMBER_PASSWORD),
            verified_at=now,
        )
        # An invitation would do this; here nobody is invited.
        directory_sync(user_uuid=member.uuid)
    if not StaffUser.objects.exists():
        StaffUser.objects.create_superuser("staff@platform.test", "demo-staff-pass")
