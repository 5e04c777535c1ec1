"""What of the set-up waits for people."""

from platform_site.action_items import NOTHING, ActionItem, Found, Window, found
from platform_site.api.identity import Identity
from platform_site.permissions import ROLE_RANKS
from platform_site.setup_tasks import setup_tasks
from setup_hub.progress import blocked_by
from setup_hub.selectors import overview


def required_tasks(asker: Identity, window: Window) -> Found:
    """Required tasks that are not completed, for those who can do them. None is ever due."""
    doable = [task for task in setup_tasks if ROLE_RANKS[asker.role] >= ROLE_RANKS[task.min_role]]
    if not doable:
        return NOTHING
    seen = overview()
    missing = set(seen.progress.missing)
    items = [
        ActionItem(
            id=f"setup:{task.code}",
            app=task.app,
            type="setup_task",
            title=task.title,
            url=task.action_path,
        )
        for task in seen.tasks
        if task.code in missing and task in doable and not blocked_by(task, seen.tasks, seen.states)
    ]
    return found(items, window)
