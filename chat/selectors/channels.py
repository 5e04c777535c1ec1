"""Reading channels and who is in them, as one of their members sees them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, Left

from accounts.models import User
from chat.models import Channel, Member, Message
from chat.presenting_people import SHOWN
from chat.unread import MENTIONS, UNREAD
from platform_site.errors import NOT_FOUND, PlatformError

# How many of a channel's members come with it.
FACES: Final = 5
# What is read of a message for its preview.
_OF_CONTENT: Final = 1000
# The order of the list. Never null, and no index: a row that every message touches has none.
NEWEST_FIRST: Final = ("-activity", "-channel_id")

# In the model's order, which ``from_db`` asks for; the number comes first.
_FACE: Final = [field.attname for field in User._meta.concrete_fields if field.name in SHOWN]
# OFFSET keeps the planner from counting once for each face.
_CROWDS: Final = f"""
SELECT {", ".join(f"person.{column}" for column in _FACE)},
       wanted.channel_id, counted.members, counted.heard
  FROM unnest(%s::uuid[]) AS wanted(channel_id)
 CROSS JOIN LATERAL (
       SELECT (SELECT count(*) FROM chat_member
                WHERE channel_id = wanted.channel_id AND left_at IS NULL) AS members,
              (SELECT count(*) = 2 FROM (
                   SELECT FROM chat_member AS there JOIN accounts_user AS one ON one.id = there.user_id
                    WHERE there.channel_id = wanted.channel_id AND there.left_at IS NULL
                      AND one.status = '{User.Status.ACTIVE}' LIMIT 2) AS two) AS heard
       OFFSET 0) AS counted
 CROSS JOIN LATERAL (SELECT user_id FROM chat_member
                      WHERE channel_id = wanted.channel_id AND left_at IS NULL ORDER BY user_id LIMIT {FACES}) AS first
  JOIN accounts_user AS person ON person.id = first.user_id
 ORDER BY person.id"""  # noqa: S608 - constants of this file


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who is in a channel: the first of them, and how many there are. ``heard``: at least two of them are active."""

    faces: list[User]
    members: int = 0
    heard: bool = False


@dataclass(frozen=True, slots=True)
class ChannelView:
    """A channel as one member sees it."""

    member: Member
    unread: int
    mentions: int
    last: Message | None
    crowd: Crowd

    @property
    def channel(self) -> Channel:
        return self.member.channel

    @property
    def other(self) -> User | None:
        """The other one of two."""
        if self.channel.kind != Channel.Kind.DIRECT:
            return None
        return next((face for face in self.crowd.faces if face.id != self.member.user_id), None)


def memberships(*, user_ids: Iterable[int], channel_id: UUID | None = None) -> QuerySet[Member]:
    """In which channels these people are, with what is unread of each, in no order."""
    last = Message.objects.filter(channel_id=OuterRef("channel_id"), seq=OuterRef("channel__last_seq"))
    rows = Member.objects.filter(user_id__in=list(user_ids), left_at=None).select_related("channel")
    if channel_id is not None:
        rows = rows.filter(channel_id=channel_id)
    return rows.annotate(
        unread=RawSQL(UNREAD, ()),  # noqa: S611 - a constant
        mentions=RawSQL(MENTIONS, ()),  # noqa: S611 - a constant
        last_id=Subquery(last.values("id")),
        activity=Coalesce("channel__last_message_at", "channel__created_at"),
    )


def channel_list(*, user_id: int, hidden: bool = False, archived: bool = False) -> QuerySet[Member]:
    """Somebody's channels, to be cut by ``NEWEST_FIRST``. ``hidden``: also those put away. ``archived``: only those."""
    rows = memberships(user_ids=[user_id]).filter(channel__archived_at__isnull=not archived)
    return (rows if hidden else rows.filter(hidden=False)).order_by(*NEWEST_FIRST)


def channel_views(members: Iterable[Any]) -> list[ChannelView]:
    """Rows of ``memberships`` with all that is shown of them: two queries, however many they are."""
    rows = list(members)
    if not rows:
        return []
    last = _messages(row.last_id for row in rows if row.channel.last_seq > row.hidden_seq)
    crowds = _crowds({row.channel_id for row in rows})
    return [
        ChannelView(
            member=row,
            unread=row.unread,
            mentions=row.mentions,
            last=last.get(row.last_id) if row.channel.last_seq > row.hidden_seq else None,
            crowd=crowds.get(row.channel_id) or Crowd([]),
        )
        for row in rows
    ]


def channel_view(*, user_id: int, channel_id: UUID) -> ChannelView:
    """One channel that somebody is in; raises ``not_found`` for all others."""
    views = channel_views(memberships(user_ids=[user_id], channel_id=channel_id))
    if not views:
        raise PlatformError(NOT_FOUND)
    return views[0]


def membership(*, user_id: int, channel_id: UUID) -> Member:
    """Somebody's place in a channel, with the channel; raises ``not_found`` for who is not in it."""
    row = Member.objects.select_related("channel").filter(user_id=user_id, channel_id=channel_id, left_at=None).first()
    if row is None:
        raise PlatformError(NOT_FOUND)
    return row


def members_of(channel_id: UUID) -> QuerySet[Member]:
    """Who is in a channel, with their names, by number."""
    shown = [f"user__{name}" for name in SHOWN]
    own = ("user_id", "channel_id", "role", "last_read_seq", "joined_at")
    rows = Member.objects.filter(channel_id=channel_id, left_at=None).select_related("user")
    return rows.only(*own, *shown).order_by("user_id")


def member_ids(channel_id: UUID, *, limit: int | None = None) -> list[int]:
    rows = Member.objects.filter(channel_id=channel_id, left_at=None).order_by("user_id")
    return list(rows.values_list("user_id", flat=True)[:limit])


def member_count(channel_id: UUID) -> int:
    return Member.objects.filter(channel_id=channel_id, left_at=None).count()


def _messages(ids: Iterable[UUID | None]) -> dict[UUID, Message]:
    """Messages with the beginning of what they say, and their senders."""
    wanted = [message_id for message_id in ids if message_id is not None]
    shown = [f"sender__{name}" for name in SHOWN]
    rows = (
        Message.objects.filter(id__in=wanted)
        .select_related("sender")
        .only("id", "channel_id", "seq", "created_at", "deleted_at", "sender_id", *shown)
        .annotate(beginning=Left("content", _OF_CONTENT))
    )
    return {row.id: row for row in rows}


def _crowds(channel_ids: Iterable[UUID]) -> dict[UUID, Crowd]:
    """Who is in each channel, by number. Somebody who is in many of them is made once."""
    found: dict[UUID, Crowd] = {}
    known: dict[int, User] = {}
    with connection.cursor() as cursor:
        cursor.execute(_CROWDS, [list(channel_ids)])
        for *person, channel_id, members, heard in cursor.fetchall():
            face = known.get(person[0]) or known.setdefault(person[0], User.from_db(connection.alias, _FACE, person))
            found.setdefault(channel_id, Crowd([], members, heard)).faces.append(face)
    return found
