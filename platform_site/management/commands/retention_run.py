"""``manage.py retention_run``"""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any, Final

import structlog
from django.contrib.sessions.models import Session
from django.utils import timezone

from platform_site.binding import TenantRef, bind
from platform_site.management.operator import REFUSED, OperatorCommand, tenant_named
from platform_site.owner import as_owner, may_be_owner
from platform_site.retention import Retention, delete_in_batches, retentions
from platform_site.tenants import ACTIVE, SUSPENDED, tenants_with_schema

log = structlog.get_logger(__name__)
# Django's own: of the admin and of pages.
PAGE_SESSIONS: Final = Retention(
    "page_sessions",
    lambda now: Session.objects.filter(expire_date__lt=now).count(),
    lambda now: delete_in_batches(Session.objects.filter(expire_date__lt=now)),
    where="public",
)


class Command(OperatorCommand):
    help = (
        "Removes what is older than is kept: in every tenant by its own settings, and in public. Exit code 1: a tenant"
        " failed, or what only the database's owner may delete was left."
    )
    writes = True

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", metavar="SLUG", help="in this tenant alone, and nothing in public")

    def run(self, **options: Any) -> dict[str, Any]:
        self._now = timezone.now()
        self._dry_run = bool(options["dry_run"])
        meant = [one for one in _policies() if not options["tenant"] or one.where == "tenant"]
        self._rows: dict[str, int] = {one.key: 0 for one in meant}
        self._failed: list[dict[str, str]] = []
        only = tenant_named(options["tenant"]) if options["tenant"] else None
        mine = [one for one in meant if not one.by_owner or self._dry_run]
        owners = [one for one in meant if one.by_owner and not self._dry_run]
        tenants = self._round(mine, only)
        left = []
        if owners and may_be_owner():
            # After everything else, and once: each change of the role is another connection.
            with as_owner():
                self._round(owners, only)
        else:
            left = [one.key for one in owners]
        return {
            "tenants": tenants,
            "rows": self._rows,
            "failed": self._failed,
            "left": left,
            "dryRun": self._dry_run,
        }

    def _round(self, policies: list[Retention], only: TenantRef | None) -> int:
        """These policies in every tenant, and in public. Gives in how many tenants."""
        inside = [one for one in policies if one.where == "tenant"]
        count = 0
        for tenant in self.progress(_tenants(only), unit="tenant"):
            count += 1
            with bind(tenant):
                for one in inside:
                    self._do(one, tenant.slug)
        for one in policies:
            if one.where == "public":
                self._do(one, "")
        return count

    def _do(self, policy: Retention, slug: str) -> None:
        work = policy.count if self._dry_run else policy.purge
        try:
            self._rows[policy.key] += work(self._now)
        except Exception as error:
            # One tenant's trouble, such as a schema that is behind, must not keep the others.
            log.exception("retention.failed", policy=policy.key, slug=slug)
            self._failed.append({"slug": slug, "policy": policy.key, "error": type(error).__name__})

    def text(self, result: dict[str, Any]) -> str:
        verb = "would be removed" if result["dryRun"] else "removed"
        lines = [f"{key:<28} {count:>10,}" for key, count in result["rows"].items()]
        lines.append(f"{sum(result['rows'].values()):,} rows {verb} in {result['tenants']} tenants.")
        lines += [f"failed: {one['slug'] or 'public'}, {one['policy']}: {one['error']}" for one in result["failed"]]
        if result["left"]:
            lines.append(f"left for the database's owner (DATABASE_OWNER_URL): {', '.join(result['left'])}")
        return "\n".join(lines)

    def exit_code(self, result: dict[str, Any]) -> int:
        return REFUSED if result["failed"] or result["left"] else 0


def _policies() -> list[Retention]:
    return [*retentions, PAGE_SESSIONS]


def _tenants(only: TenantRef | None) -> Iterator[TenantRef]:
    """What is about to be deleted stays as it is until then, so that it can come back whole."""
    if only is not None:
        return iter([only])
    return (tenant for tenant in tenants_with_schema() if tenant.status in (ACTIVE, SUSPENDED))
