"""What the set-up asks of the registry, and what in it waits for people."""

from typing import Final

from platform_site.action_items import NOTHING, ActionItem, Found, Window, found
from platform_site.api.identity import Identity
from platform_site.setup_tasks import CheckResult
from registry.models import Duplicate, Entity

# Beyond that the exact number says nothing more.
COUNTED: Final = 1000


def record_is_there() -> CheckResult:
    return CheckResult(Entity.objects.filter(status=Entity.Status.ACTIVE).exists())


def pairs_to_decide(asker: Identity, window: Window) -> Found:
    """One item for all pairs of records that may be the same. One query."""
    waiting = Duplicate.objects.filter(status=Duplicate.Status.OPEN).order_by("-score")
    seen = list(waiting.values_list("found_at", flat=True)[: COUNTED + 1])
    if not seen:
        return NOTHING
    many = f"More than {COUNTED}" if len(seen) > COUNTED else str(len(seen))
    item = ActionItem(
        id="duplicates:open",
        app="registry",
        type="review_duplicates",
        title=f"{many} pairs of records may be the same" if len(seen) > 1 else "Two records may be the same",
        url="/entity-registry/duplicates",
        priority="low",
        created_at=min(seen),
    )
    return found([item], window)
