"""SQL of the paths that everything in chat goes through: sending, pages, and catching up.

Written by hand because two worlds run it: requests with Django's cursor, and the
realtime process with its own asynchronous connection. Parameters are
``%(name)s``, and values are what psycopg gives and takes: UUIDs, whole numbers,
lists for arrays. Table names carry no schema: the connection is bound to a tenant.
"""

from typing import Final

# A person's name as ``User.display_name`` gives it. Who was deleted is shown as such and never by this.
_NAME: Final = "coalesce(nullif(btrim({0}.first_name || ' ' || {0}.last_name), ''), split_part({0}.email, '@', 1))"

# What ``presenting_messages.message_from_row`` takes:
#   id, channel_id, seq, change_seq, content, client_message_id, reply_to,
#   created_at, edited_at, deleted_at      as in the table
#   mentioned                              list of numbers, 0 for everybody
#   sender_id, sender_uuid, sender_name, sender_avatar_url, sender_status
#   mentioned_people                       [{"uuid", "id", "name", "status"}] or None
#   reactions                              [{"emoji", "users": [number, ...]}] or None, the oldest emoji first
_COLUMNS: Final = f"""
    m.id, m.channel_id, m.seq, m.change_seq, m.content, m.client_message_id, m.reply_to, m.mentioned,
    m.created_at, m.edited_at, m.deleted_at,
    u.id AS sender_id, u.uuid AS sender_uuid, {_NAME.format("u")} AS sender_name,
    u.avatar_url AS sender_avatar_url, u.status AS sender_status,
    CASE WHEN m.mentioned <> '{{}}' THEN (
        SELECT json_agg(
            json_build_object('uuid', p.uuid, 'id', p.id, 'name', {_NAME.format("p")}, 'status', p.status) ORDER BY p.id
        ) FROM accounts_user p WHERE p.id = ANY(m.mentioned)
    ) END AS mentioned_people,
    (
        SELECT json_agg(json_build_object('emoji', e.emoji, 'users', e.users) ORDER BY e.since, e.emoji)
        FROM (
            SELECT r.emoji, array_agg(r.user_id ORDER BY r.created_at, r.user_id) AS users, min(r.created_at) AS since
            FROM chat_reaction r WHERE r.message_id = m.id GROUP BY r.emoji
        ) e
    ) AS reactions
"""  # noqa: S608 - fragments of this module

# Parameters: user_id; since, a JSON text {"<channel id>": [seq, change_seq]}, in lower case.
# One row for each channel that the person is in, the one with the latest message first:
#   channel_id, last_seq, change_seq       where the channel is
#   last_read_seq                          up to where the person has read
#   floor_seq                              messages up to this one are gone, or not shown to the person
#   known_seq, known_change                what ``since`` says, None for a channel that it does not name
BEHIND: Final = """
SELECT c.id AS channel_id, c.last_seq, c.change_seq, m.last_read_seq,
       greatest(c.purged_seq, m.hidden_seq) AS floor_seq,
       (v.position ->> 0)::bigint AS known_seq, (v.position ->> 1)::bigint AS known_change
FROM chat_member m
JOIN chat_channel c ON c.id = m.channel_id
LEFT JOIN jsonb_each(%(since)s::jsonb) AS v(channel, position) ON v.channel = c.id::text
WHERE m.user_id = %(user_id)s AND m.left_at IS NULL
ORDER BY c.last_message_at DESC NULLS LAST, c.id
"""

# Parameters: channels, firsts, lasts: one range of numbers for each channel, both ends in it.
# Rows for ``message_from_row``, channel by channel, the lowest number first.
MESSAGES: Final = f"""
SELECT {_COLUMNS}
FROM unnest(%(channels)s::uuid[], %(firsts)s::bigint[], %(lasts)s::bigint[]) AS wanted(channel_id, first, last)
JOIN chat_message m ON m.channel_id = wanted.channel_id AND m.seq BETWEEN wanted.first AND wanted.last
JOIN accounts_user u ON u.id = m.sender_id
ORDER BY m.channel_id, m.seq
"""  # noqa: S608 - fragments of this module

# Parameters: channels, firsts, lasts: ranges of ``change_seq``, both ends in it; floors, tops: only messages whose
# ``seq`` is higher than the floor and not higher than the top; limit: rows of one channel.
# Rows for ``message_from_row``, channel by channel, the lowest change first. A message stands there once, as it is
# now: earlier changes of it are covered by its last one.
CHANGES: Final = f"""
SELECT {_COLUMNS}
FROM unnest(
    %(channels)s::uuid[], %(firsts)s::bigint[], %(lasts)s::bigint[], %(floors)s::bigint[], %(tops)s::bigint[]
) AS wanted(channel_id, first, last, floor, top)
CROSS JOIN LATERAL (
    SELECT * FROM chat_message changed
    WHERE changed.channel_id = wanted.channel_id AND changed.change_seq > 0
      AND changed.change_seq BETWEEN wanted.first AND wanted.last
      AND changed.seq > wanted.floor AND changed.seq <= wanted.top
    ORDER BY changed.change_seq LIMIT %(limit)s
) m
JOIN accounts_user u ON u.id = m.sender_id
ORDER BY m.channel_id, m.change_seq
"""  # noqa: S608 - fragments of this module

# Parameters: channel_id; seq, the message that it is about: somebody to whom it is not shown hears nothing of it.
# Rows of user_id, in order.
RECIPIENTS: Final = """
SELECT user_id FROM chat_member
WHERE channel_id = %(channel_id)s AND left_at IS NULL AND hidden_seq < %(seq)s
ORDER BY user_id
"""

# The same for many channels at once. Parameters: channels.
# Rows of channel_id, user_id, hidden_seq: of a message up to ``hidden_seq`` this person hears nothing.
RECIPIENTS_OF_MANY: Final = """
SELECT channel_id, user_id, hidden_seq FROM chat_member
WHERE channel_id = ANY(%(channels)s::uuid[]) AND left_at IS NULL
ORDER BY channel_id, user_id
"""
