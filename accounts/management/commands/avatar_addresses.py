"""``manage.py avatar_addresses``"""

from contextlib import nullcontext
from typing import Any

from accounts.services.avatars import avatar_addresses_renew
from platform_site.binding import bind
from platform_site.management.operator import OperatorCommand, rehearsed
from platform_site.tenants import tenants_with_schema


class Command(OperatorCommand):
    help = (
        "Writes the addresses of pictures anew, after PUBLIC_URL changed or before an old key is dropped. Exit code 0:"
        " all of them are as they should be."
    )
    writes = True

    def run(self, **options: Any) -> dict[str, Any]:
        dry_run = options["dry_run"]
        pictures = changed = 0
        for tenant in self.progress(tenants_with_schema(), unit="tenant"):
            # For good, picture by picture: nobody waits for all of them.
            with bind(tenant), rehearsed(dry_run) if dry_run else nullcontext():
                here = avatar_addresses_renew()
            pictures, changed = pictures + here[0], changed + here[1]
        return {"pictures": pictures, "changed": changed, "dryRun": dry_run}

    def text(self, result: dict[str, Any]) -> str:
        would = "would be changed" if result["dryRun"] else "changed"
        return f"{result['pictures']} pictures, {result['changed']} addresses {would}."
