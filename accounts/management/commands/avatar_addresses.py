"""``manage.py avatar_addresses``"""

from typing import Any

from django.core.management.base import BaseCommand

from accounts.management.every_tenant import tenants_with_schema
from accounts.services.avatars import avatar_addresses_renew
from platform_site.binding import bind


class Command(BaseCommand):
    help = "Writes the addresses of pictures anew, after PUBLIC_URL changed or before an old key is dropped."

    def handle(self, *args: Any, **options: Any) -> None:
        pictures = changed = 0
        for tenant in tenants_with_schema():
            with bind(tenant):
                here = avatar_addresses_renew()
            pictures, changed = pictures + here[0], changed + here[1]
        self.stdout.write(f"{pictures} pictures, {changed} addresses changed.")
