"""What action items add to the platform's catalogues. Numbers 75 to 79 of the permissions are their own."""

from platform_site.action_items import ActionSource, action_sources
from platform_site.journal.keys import journal_key
from platform_site.me.audience import counting_statement
from platform_site.me.selectors import stored_items
from platform_site.permissions import permission
from platform_site.unread import UnreadSource, unread_sources

ITEMS_WRITE = permission("action_items.write", 75, "Give people action items", min_role="manager")

ITEM_PUT = journal_key("action_items.put", "A module gave somebody something to do, or changed it", audited=False)
ITEM_CLOSED = journal_key("action_items.closed", "An action item was done, or taken back", audited=False)

unread_sources.add(UnreadSource("tasks", counting_statement))
action_sources.add(ActionSource("tasks", stored_items))
