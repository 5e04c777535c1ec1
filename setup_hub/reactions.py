"""What the set-up hub does because of what happens elsewhere: tasks that a fact may have moved are checked at once."""

from collections import defaultdict

from platform_site.journal.keys import JournalKey
from platform_site.journal.models import JournalEntry
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.registry import reaction
from platform_site.setup_tasks import setup_tasks
from setup_hub.services.checking import setup_check


def _register(key: JournalKey, codes: tuple[str, ...]) -> None:
    @reaction(to=key, queue=OutboxRow.Queue.BULK, name=f"setup_hub.{key.key}")
    def look_at_its_tasks(entry: JournalEntry) -> None:
        setup_check(codes)


_advanced: dict[JournalKey, list[str]] = defaultdict(list)
for _task in setup_tasks:
    for _key in _task.advanced_by:
        _advanced[_key].append(_task.code)
for _key, _codes in _advanced.items():
    _register(_key, tuple(_codes))
