"""What the set-up asks of chat, and what in chat waits for people."""

from datetime import timedelta
from typing import Final

from django.db import connection

from chat.models import Channel
from platform_site.action_items import ActionItem, Found, Window, found
from platform_site.api.identity import Identity
from platform_site.setup_tasks import CheckResult

# Whoever has not looked for so long has missed it.
MISSED_AFTER: Final = timedelta(days=1)
# Of one person, by the index of their mentions; as with counts, what is muted, left or archived asks for nothing.
_MISSED: Final = """
SELECT channel.id, channel.name, count(*), min(said.created_at)
  FROM chat_mention AS named
  JOIN chat_member AS member ON member.user_id = named.user_id AND member.channel_id = named.channel_id
  JOIN chat_channel AS channel ON channel.id = named.channel_id
  JOIN chat_message AS said ON said.channel_id = named.channel_id AND said.seq = named.seq
 WHERE named.user_id = %(user)s AND named.seq > greatest(member.last_read_seq, channel.purged_seq)
   AND said.deleted_at IS NULL AND said.created_at < %(before)s
   AND member.left_at IS NULL AND channel.archived_at IS NULL
   AND (member.muted_until IS NULL OR member.muted_until <= now())
 GROUP BY channel.id, channel.name ORDER BY min(said.created_at), channel.id
"""


def group_is_there() -> CheckResult:
    return CheckResult(Channel.objects.filter(kind=Channel.Kind.GROUP).exists())


def mentions_missed(asker: Identity, window: Window) -> Found:
    """Channels in which somebody was named a day ago or longer and has not read it. One query."""
    with connection.cursor() as cursor:
        cursor.execute(_MISSED, {"user": asker.user_id, "before": window.now - MISSED_AFTER})
        rows = cursor.fetchall()
    items = [
        ActionItem(
            id=f"chat:{channel_id}",
            app="chat",
            type="mentions",
            title=f"You were mentioned in {name or 'a conversation'}" + (f" ({count} times)" if count > 1 else ""),
            url=f"/chat/{channel_id}",
            created_at=since,
        )
        for channel_id, name, count, since in rows
    ]
    return found(items, window)
