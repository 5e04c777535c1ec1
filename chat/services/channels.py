"""Making channels, changing them, and putting them away."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from chat import catalog, errors
from chat.channel_frames import channel_added, channel_updated
from chat.models import Channel, DirectPair, Member
from chat.presenting_channels import FOR_EVER, present_muting
from chat.selectors.channels import member_ids, membership
from chat.selectors.people import Ref, people_by_ref
from platform_site.api.identity import Identity
from platform_site.errors import NOT_FOUND, PERMISSION_DENIED, PlatformError
from platform_site.ids import uuid7
from platform_site.journal.services import record
from platform_site.realtime.publishing import publish_on_commit
from tenancy.org_settings.selectors import setting_value

_PAIR: Final = """
INSERT INTO chat_directpair (user_lo_id, user_hi_id, channel_id) VALUES (%(lo)s, %(hi)s, %(channel)s)
ON CONFLICT DO NOTHING RETURNING channel_id"""


@dataclass(frozen=True, slots=True)
class Opened:
    """``created``: it did not exist before."""

    channel_id: UUID
    created: bool


@dataclass(frozen=True, slots=True)
class ChannelChanges:
    """What is to change; what is None stays.

    ``name`` and ``archived`` are everybody's, the others one's own. ``muted_until``
    without ``muted`` mutes until then; ``muted`` alone mutes until further notice.
    """

    name: str | None = None
    archived: bool | None = None
    muted: bool | None = None
    muted_until: datetime | None = None
    hidden: bool | None = None


@transaction.atomic
def direct_open(*, actor: Identity, ref: Ref) -> Opened:
    """The channel with this person, made when there is none; one that was put away is back for the caller alone.

    Raises ``user_not_found``, ``cannot_message_self``, and ``user_inactive`` where nothing was ever said:
    what was, stays readable.
    """
    other = people_by_ref([ref]).get(ref)
    if other is None:
        raise PlatformError(errors.USER_NOT_FOUND)
    if other.id == actor.user_id:
        raise PlatformError(errors.CANNOT_MESSAGE_SELF)
    lo, hi = sorted([actor.user_id, other.id])
    existing = _pair(lo, hi)
    if existing is None:
        _may_be_written_to(other)
        made = _make_pair(lo, hi, actor.user_id)
        if made is not None:
            publish_on_commit(channel_added(made, [lo, hi]))
            return Opened(made, created=True)
        # Somebody else's was there first, and is committed: the insertion waited for it.
        existing = _pair(lo, hi)
        if existing is None:
            raise PlatformError(NOT_FOUND)
    own = membership(user_id=actor.user_id, channel_id=existing)
    _change_own(own, ChannelChanges(hidden=False))
    return Opened(existing, created=False)


@transaction.atomic
def group_create(*, actor: Identity, name: str, member_refs: Sequence[Ref]) -> UUID:
    """A group of the caller, who owns it, and these people. All of them or nothing.

    Raises ``invalid_members`` or ``too_many_members``.
    """
    others = [person for person in active_people(member_refs) if person.id != actor.user_id]
    if not others:
        raise PlatformError(errors.INVALID_MEMBERS, "A group needs somebody else.", context={"invalidMemberIds": []})
    room_for(len(others) + 1)
    channel_id = uuid7()
    channel = Channel.objects.create(id=channel_id, kind=Channel.Kind.GROUP, name=name, created_by_id=actor.user_id)
    joined = timezone.now()
    Member.objects.bulk_create(
        Member(user_id=user_id, channel=channel, role=role, joined_at=joined)
        for user_id, role in (
            (actor.user_id, Member.Role.OWNER),
            *((person.id, Member.Role.MEMBER) for person in others),
        )
    )
    record(
        catalog.GROUP_CREATED,
        subject=("channel", channel_id),
        data={"memberIds": [str(person.uuid) for person in others]},
    )
    publish_on_commit(channel_added(channel_id, [actor.user_id, *(person.id for person in others)]))
    return channel_id


@transaction.atomic
def channel_change(*, actor: Identity, channel_id: UUID, changes: ChannelChanges) -> None:
    """Change a channel's name or archive it, for everybody; mute it or put it away, for oneself.

    Raises ``not_found``, ``not_a_group``, and ``permission_denied`` for who neither owns the group nor is at
    least a manager. What is so already is no change.
    """
    if changes.name is not None or changes.archived is not None:
        _change_for_all(actor, channel_id, changes)
    _change_own(membership(user_id=actor.user_id, channel_id=channel_id), changes)


def channel_lock(*, user_id: int, channel_id: UUID) -> Member:
    """Somebody's place in a channel, whose row is locked until the caller's transaction ends.

    Who comes and who goes is decided under this lock; sending takes it too, so that a message goes to those who
    are members at its number. Raises ``not_found`` for who is not in it.
    """
    locked = Channel.objects.select_for_update(no_key=True).filter(id=channel_id).first()
    if locked is None:
        raise PlatformError(NOT_FOUND)
    own = membership(user_id=user_id, channel_id=channel_id)
    own.channel = locked
    return own


def only_groups(channel: Channel) -> None:
    if channel.kind != Channel.Kind.GROUP:
        raise PlatformError(errors.NOT_A_GROUP)


def may_govern(actor: Identity, own: Member) -> None:
    """The owner of a group, or at least a manager who is in it; raises ``permission_denied`` for others."""
    if own.role != Member.Role.OWNER and not Role(actor.role).at_least(Role.MANAGER):
        raise PlatformError(PERMISSION_DENIED)


def active_people(refs: Sequence[Ref]) -> list[User]:
    """These people, each once; raises ``invalid_members`` with all of those who are not here or not active."""
    found = people_by_ref(refs)
    invalid = [ref for ref in refs if ref not in found or found[ref].status != User.Status.ACTIVE]
    if invalid:
        shown = [ref if isinstance(ref, int) else str(ref) for ref in dict.fromkeys(invalid)]
        raise PlatformError(errors.INVALID_MEMBERS, context={"invalidMemberIds": shown})
    return list({person.id: person for person in found.values()}.values())


def room_for(members: int) -> None:
    """Raises ``too_many_members`` when a group may not have so many."""
    most = setting_value(catalog.MAX_GROUP_MEMBERS)
    if members > most:
        raise PlatformError(errors.TOO_MANY_MEMBERS, context={"maxMembers": most})


def _may_be_written_to(other: User) -> None:
    if other.status == User.Status.ERASED:
        raise PlatformError(errors.USER_NOT_FOUND)
    if other.status != User.Status.ACTIVE:
        raise PlatformError(errors.USER_INACTIVE)


def _pair(lo: int, hi: int) -> UUID | None:
    return DirectPair.objects.filter(user_lo=lo, user_hi=hi).values_list("channel_id", flat=True).first()


def _make_pair(lo: int, hi: int, created_by: int) -> UUID | None:
    """The new channel of these two, or None when somebody else made it meanwhile."""
    channel_id = uuid7()
    with transaction.atomic():
        Channel.objects.create(id=channel_id, kind=Channel.Kind.DIRECT, created_by_id=created_by)
        with connection.cursor() as cursor:
            # Waits for another transaction that makes the same pair.
            cursor.execute(_PAIR, {"lo": lo, "hi": hi, "channel": channel_id})
            won = cursor.fetchone() is not None
        if not won:
            transaction.set_rollback(True)
            return None
        Member.objects.bulk_create(Member(user_id=user_id, channel_id=channel_id) for user_id in (lo, hi))
    return channel_id


def _change_for_all(actor: Identity, channel_id: UUID, changes: ChannelChanges) -> None:
    own = channel_lock(user_id=actor.user_id, channel_id=channel_id)
    channel = own.channel
    only_groups(channel)
    may_govern(actor, own)
    changed: dict[str, Any] = {}
    if changes.name is not None and changes.name != channel.name:
        channel.name = changed["name"] = changes.name
        record(catalog.CHANNEL_RENAMED, subject=("channel", channel.id))
    if changes.archived is not None and changes.archived != (channel.archived_at is not None):
        channel.archived_at = timezone.now() if changes.archived else None
        changed["archived"] = changes.archived
        record(catalog.CHANNEL_ARCHIVED, subject=("channel", channel.id), data={"archived": changes.archived})
    if changed:
        channel.save(update_fields=["name", "archived_at"])
        publish_on_commit(channel_updated(channel, member_ids(channel.id), changed))


def _change_own(own: Member, changes: ChannelChanges) -> None:
    """What concerns nobody else is told to one's other devices only."""
    wanted: dict[str, Any] = {}
    if changes.muted is False:
        wanted["muted_until"] = None
    elif changes.muted_until is not None:
        wanted["muted_until"] = changes.muted_until
    elif changes.muted:
        wanted["muted_until"] = FOR_EVER
    if changes.hidden is not None:
        wanted["hidden"] = changes.hidden
    changed = {name: value for name, value in wanted.items() if getattr(own, name) != value}
    if not changed:
        return
    # Nothing else of the row: another device may change the rest at this moment.
    Member.objects.filter(user_id=own.user_id, channel_id=own.channel_id).update(**changed)
    for name, value in changed.items():
        setattr(own, name, value)
    publish_on_commit(channel_updated(own.channel, [own.user_id], {**present_muting(own), "hidden": own.hidden}))
