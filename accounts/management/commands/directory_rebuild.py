"""``manage.py directory_rebuild``"""

from typing import Any

from django.core.management.base import BaseCommand
from django_tenants.utils import get_tenant_model

from accounts.directory.models import DirectoryEntry
from accounts.directory.services import directory_rebuild_bound
from accounts.management.every_tenant import tenants_with_schema
from platform_site.binding import bind


class Command(BaseCommand):
    help = "Writes the directory of people anew, with the current key. Run it before an old key is dropped."

    def handle(self, *args: Any, **options: Any) -> None:
        tenants = written = removed = 0
        for tenant in tenants_with_schema():
            with bind(tenant):
                rebuilt = directory_rebuild_bound()
            tenants, written, removed = tenants + 1, written + rebuilt.written, removed + rebuilt.removed
        # Rows of tenants that are gone.
        living = get_tenant_model().objects.exclude(status="deleted").values("id")
        orphans, _ = DirectoryEntry.objects.exclude(tenant_id__in=living).delete()
        self.stdout.write(f"{tenants} tenants, {written} people written, {removed + orphans} rows removed.")
