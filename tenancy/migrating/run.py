"""The whole of ``migrate_all``: public, the template, then every tenant that is behind."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Protocol

from tenancy.migrating.fleet import migrate_tenants
from tenancy.migrating.public import announce_models, migrate_public, public_is_current
from tenancy.migrating.status import migration_status
from tenancy.migrating.template import build_template, template_is_current
from tenancy.migrating.tenants import Outcome, stale_tenants
from tenancy.migrating.timeouts import migration_timeouts
from tenancy.provisioning.locks import no_sign_ups, one_run_at_a_time
from tenancy.provisioning.rights import give_rights


class Reporter(Protocol):
    """Who is told while a run goes on."""

    def note(self, text: str) -> None: ...
    def tenants_found(self, count: int) -> None: ...
    def tenant_done(self, outcome: Outcome) -> None: ...


@dataclass(slots=True)
class Result:
    """What a run did; ``failed`` tenants are left for the next one, and so is what it ``stopped`` before."""

    public: list[str] = field(default_factory=list)
    template_built: bool = False
    migrated: int = 0
    failed: list[Outcome] = field(default_factory=list)
    stopped: bool = False
    # Of those that were migrated, by slug.
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def median_seconds(self) -> float:
        return median(self.seconds.values()) if self.seconds else 0.0

    def slowest(self, count: int = 5) -> list[tuple[str, float]]:
        """Slugs and seconds, the slowest first."""
        return sorted(self.seconds.items(), key=lambda one: -one[1])[:count]


@dataclass(frozen=True, slots=True)
class Extent:
    """Which tenants are meant: all that are behind, or ``only`` these; ``most`` of them; until ``failures`` failed."""

    only: Sequence[str] = ()
    most: int | None = None
    failures: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run would do: migrations of public by their names, tenants by their slugs."""

    public: list[str]
    builds_template: bool
    tenants: list[str]


def plan_all(*, public_only: bool = False, extent: Extent | None = None) -> Plan:
    """What ``migrate_all`` would do now, as far as that is known before public is migrated."""
    status, extent = migration_status(), extent or Extent()
    if public_only:
        return Plan(status.public, False, [])
    behind = [one.slug for one in status.tenants if one.state != "current"]
    meant = [slug for slug in behind if slug in extent.only or not extent.only]
    return Plan(status.public, not status.template_current, meant[: extent.most])


def migrate_all(*, workers: int, reporter: Reporter, public_only: bool = False, extent: Extent | None = None) -> Result:
    """Bring the database to the code's migrations.

    Nothing to do costs a handful of queries, whatever the number of tenants. It may be killed at
    any point and started again. A tenant that fails is in ``Result.failed``; whatever fails in
    public or in the template is raised.
    """
    result = Result()
    with one_run_at_a_time(on_wait=lambda: reporter.note("Another migrate_all runs; waiting for it.")):
        _migrate_shared(result, reporter, public_only)
        if not public_only:
            _migrate_tenants(result, reporter, workers, extent or Extent())
    return result


def _migrate_shared(result: Result, reporter: Reporter, public_only: bool) -> None:
    """Public and the template, without sign-ups in between; nobody is kept out when both are right."""
    if public_is_current() and (public_only or template_is_current()):
        # A run that was killed may have left this undone, and nothing else would show it.
        announce_models()
        give_rights()
        return
    with no_sign_ups(), migration_timeouts():
        result.public = migrate_public(progress=lambda name: reporter.note(f"public: {name}"))
        announce_models()
        give_rights()
        if not public_only and not template_is_current():
            build_template(progress=lambda name: reporter.note(f"template: {name}"))
            result.template_built = True


def _migrate_tenants(result: Result, reporter: Reporter, workers: int, extent: Extent) -> None:
    """Every tenant that is behind, and those that were signed up behind while the others ran."""
    seen: set[str] = set()
    while stale := [tenant for tenant in stale_tenants(extent.only) if tenant.schema_name not in seen]:
        if extent.most is not None:
            stale = stale[: extent.most - len(seen)]
        if not stale:
            return
        seen.update(tenant.schema_name for tenant in stale)
        reporter.tenants_found(len(stale))
        for outcome in migrate_tenants(stale, workers=workers, enough=lambda: _enough(result, extent)):
            reporter.tenant_done(outcome)
            if outcome.error:
                result.failed.append(outcome)
            else:
                result.migrated += 1
                result.seconds[outcome.tenant.slug] = outcome.seconds
        if _enough(result, extent):
            result.stopped = True
            return


def _enough(result: Result, extent: Extent) -> bool:
    return extent.failures is not None and len(result.failed) >= extent.failures
