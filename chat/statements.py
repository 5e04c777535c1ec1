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
# One row for each channel that the person is in, the one in which something happened last comes first:
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
ORDER BY c.active_at DESC NULLS LAST, c.id
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

# One message as it is now. Parameters: id. A row for ``message_from_row``, or none.
MESSAGE: Final = f"""
SELECT {_COLUMNS} FROM chat_message m JOIN accounts_user u ON u.id = m.sender_id WHERE m.id = %(id)s
"""  # noqa: S608 - fragments of this module

# Everything that a message needs, in one statement. Parameters: id, channel_id, user_id, content, key (the client's
# own name for it, or None), reply_to (or None), mentioned.
#
# One row, or none when the person is not in the channel. ``seq`` and ``created_at`` are None when nothing was sent;
# why is in ``earlier`` (the id of what was sent under this key before), ``archived_at``, ``heard`` and ``reply_found``.
# The sender's columns are those of ``message_from_row``.
#
# The update of the channel's row is the lock: whoever comes second waits there, so numbers are taken in the order of
# commits. A transaction that is rolled back gives its number back, because it is a value of a row and no sequence.
# The clock is read behind the lock, so that times go the same way as numbers.
SEND: Final = f"""
WITH mine AS (
    SELECT c.kind, c.archived_at, u.id AS sender_id, u.uuid AS sender_uuid, {_NAME.format("u")} AS sender_name,
           u.avatar_url AS sender_avatar_url, u.status AS sender_status,
           -- Somebody who is alone in a group may go on; where all others are inactive nobody would ever read it.
           NOT EXISTS (
               SELECT 1 FROM chat_member o WHERE o.channel_id = c.id AND o.left_at IS NULL AND o.user_id <> m.user_id
           ) OR EXISTS (
               SELECT 1 FROM chat_member o JOIN accounts_user p ON p.id = o.user_id AND p.status = 'active'
               WHERE o.channel_id = c.id AND o.left_at IS NULL AND o.user_id <> m.user_id
           ) AS heard,
           %(reply_to)s::uuid IS NULL OR EXISTS (
               SELECT 1 FROM chat_message a
               WHERE a.id = %(reply_to)s::uuid AND a.channel_id = c.id AND a.seq > greatest(c.purged_seq, m.hidden_seq)
           ) AS reply_found
    FROM chat_member m JOIN chat_channel c ON c.id = m.channel_id JOIN accounts_user u ON u.id = m.user_id
    WHERE m.channel_id = %(channel_id)s AND m.user_id = %(user_id)s AND m.left_at IS NULL
), earlier AS (
    SELECT s.id FROM chat_message s
    WHERE s.channel_id = %(channel_id)s AND s.sender_id = %(user_id)s AND s.client_message_id = %(key)s::varchar
), numbered AS (
    UPDATE chat_channel c
    SET last_seq = c.last_seq + 1, last_message_at = clock_timestamp(), active_at = clock_timestamp()
    FROM mine
    WHERE c.id = %(channel_id)s AND c.archived_at IS NULL AND mine.heard AND mine.reply_found
      AND NOT EXISTS (SELECT 1 FROM earlier)
    RETURNING c.last_seq
), sent AS (
    INSERT INTO chat_message
        (id, channel_id, seq, sender_id, content, client_message_id, reply_to, mentioned, created_at)
    SELECT %(id)s, %(channel_id)s, n.last_seq, %(user_id)s, %(content)s::text, %(key)s::varchar, %(reply_to)s::uuid,
           %(mentioned)s::int[], clock_timestamp()
    FROM numbered n
    RETURNING seq, created_at
), own AS (
    -- Whoever says something has read what is above it.
    UPDATE chat_member m SET last_read_seq = sent.seq, hidden = false FROM sent
    WHERE m.channel_id = %(channel_id)s AND m.user_id = %(user_id)s
)
SELECT mine.*, sent.seq, sent.created_at, earlier.id AS earlier
FROM mine LEFT JOIN sent ON true LEFT JOIN earlier ON true
"""  # noqa: S608 - fragments of this module

# RECIPIENTS of a new message between two: who had put the channel away sees it again. The same parameters and rows.
RECIPIENTS_OF_DIRECT: Final = """
WITH shown AS (
    UPDATE chat_member SET hidden = false WHERE channel_id = %(channel_id)s AND left_at IS NULL AND hidden
)
SELECT user_id FROM chat_member
WHERE channel_id = %(channel_id)s AND left_at IS NULL AND hidden_seq < %(seq)s
ORDER BY user_id
"""

# What was sent under a key before. Parameters: channel_id, user_id, key. Rows of id.
SENT_EARLIER: Final = """
SELECT id FROM chat_message
WHERE channel_id = %(channel_id)s AND sender_id = %(user_id)s AND client_message_id = %(key)s
"""

# Members of a channel among these people. Parameters: channel_id, numbers, uuids. Rows of id, uuid, name, status.
MEMBERS_AMONG: Final = f"""
SELECT u.id, u.uuid, {_NAME.format("u")} AS name, u.status
FROM chat_member m JOIN accounts_user u ON u.id = m.user_id
WHERE m.channel_id = %(channel_id)s AND m.left_at IS NULL
  AND (u.id = ANY(%(numbers)s::bigint[]) OR u.uuid = ANY(%(uuids)s::uuid[]))
ORDER BY u.id
"""  # noqa: S608 - fragments of this module

# Where a channel is, for one of its members. Parameters: channel_id, user_id, around (a message's id, or None).
# One row of last_seq, change_seq, last_read_seq, floor_seq, around_seq; none for who is not in the channel.
POSITION: Final = """
SELECT c.last_seq, c.change_seq, m.last_read_seq, greatest(c.purged_seq, m.hidden_seq) AS floor_seq,
       (SELECT a.seq FROM chat_message a WHERE a.id = %(around)s::uuid AND a.channel_id = c.id) AS around_seq
FROM chat_member m JOIN chat_channel c ON c.id = m.channel_id
WHERE m.channel_id = %(channel_id)s AND m.user_id = %(user_id)s AND m.left_at IS NULL
"""

# The channel's row until the transaction ends, for one of its members: changes come one after the other, and behind
# messages. Parameters: channel_id, user_id. One row, or none for who is not in the channel. Whether the person is
# still in it when the wait is over is for the next statement to see.
LOCK: Final = """
SELECT c.archived_at, m.role, greatest(c.purged_seq, m.hidden_seq) AS floor_seq
FROM chat_channel c JOIN chat_member m ON m.channel_id = c.id
WHERE c.id = %(channel_id)s AND m.user_id = %(user_id)s AND m.left_at IS NULL
FOR NO KEY UPDATE OF c
"""

# The next change's number. Parameters: channel_id. One row of change_seq.
NEXT_CHANGE: Final = """
UPDATE chat_channel SET change_seq = change_seq + 1, active_at = clock_timestamp()
WHERE id = %(channel_id)s RETURNING change_seq
"""

# Messages that hold all words, of channels that the person is in, the newest first. Parameters: user_id; query, in
# the language of search engines; channel_id (or None for all); before (an id, or None); limit.
# Rows for ``message_from_row``, with channel_kind and channel_name: between two, the name of the other one.
SEARCH: Final = f"""
SELECT {_COLUMNS}, c.kind AS channel_kind, coalesce(other.name, c.name) AS channel_name
FROM (
    SELECT f.* FROM chat_message f
    JOIN chat_member mine ON mine.channel_id = f.channel_id AND mine.user_id = %(user_id)s AND mine.left_at IS NULL
    JOIN chat_channel within ON within.id = f.channel_id
    WHERE to_tsvector('simple'::regconfig, coalesce(f.content, ''))
          @@ websearch_to_tsquery('simple'::regconfig, %(query)s::text)
      AND f.deleted_at IS NULL AND f.seq > greatest(mine.hidden_seq, within.purged_seq)
      AND (%(channel_id)s::uuid IS NULL OR f.channel_id = %(channel_id)s::uuid)
      AND (%(before)s::uuid IS NULL OR f.id < %(before)s::uuid)
    ORDER BY f.id DESC LIMIT %(limit)s
) m
JOIN accounts_user u ON u.id = m.sender_id
JOIN chat_channel c ON c.id = m.channel_id
LEFT JOIN LATERAL (
    SELECT CASE WHEN p.status = 'erased' THEN 'Deleted user ' || p.id ELSE {_NAME.format("p")} END AS name
    FROM chat_member o JOIN accounts_user p ON p.id = o.user_id
    WHERE c.kind = 'direct' AND o.channel_id = c.id AND o.user_id <> %(user_id)s AND o.left_at IS NULL
    ORDER BY o.user_id LIMIT 1
) other ON true
ORDER BY m.id DESC
"""  # noqa: S608 - fragments of this module
