"""Who comes into a group, and who goes. All of it under the lock of the channel's row."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.db.models import Case, Value, When
from django.utils import timezone

from accounts.models import User
from chat import catalog, errors
from chat.channel_frames import channel_added, channel_removed, channel_updated
from chat.models import Channel, Member
from chat.presenting_people import present_person
from chat.selectors.channels import member_ids
from chat.selectors.people import Ref, people_by_ref
from chat.services.channels import active_people, channel_lock, may_govern, only_groups, room_for
from platform_site.api.identity import Identity
from platform_site.errors import NOT_FOUND, PlatformError
from platform_site.journal.services import record
from platform_site.realtime.publishing import publish_on_commit
from tenancy.org_settings.selectors import setting_value


@transaction.atomic
def members_add(*, actor: Identity, channel_id: UUID, member_refs: Sequence[Ref]) -> list[User]:
    """Let these people into a group that the caller is in. Gives those who were not in it before.

    Nothing is unread for them; what was said before is theirs to read unless the organisation says otherwise.
    Raises ``not_found``, ``not_a_group``, ``channel_archived``, ``invalid_members`` or ``too_many_members``.
    """
    channel = channel_lock(user_id=actor.user_id, channel_id=channel_id).channel
    only_groups(channel)
    if channel.archived_at is not None:
        raise PlatformError(errors.CHANNEL_ARCHIVED)
    people = active_people(member_refs)
    before = member_ids(channel_id)
    there = set(before)
    new = [person for person in people if person.id not in there]
    if not new:
        return []
    room_for(len(before) + len(new))
    _let_in(channel, new)
    record(
        catalog.MEMBER_ADDED,
        subject=("channel", channel.id),
        data={"memberIds": [str(person.uuid) for person in new]},
    )
    changed = {"added": [present_person(person) for person in new], "memberCount": len(before) + len(new)}
    publish_on_commit(
        [*channel_added(channel.id, [person.id for person in new]), *channel_updated(channel, before, changed)]
    )
    return new


@transaction.atomic
def member_remove(*, actor: Identity, channel_id: UUID, ref: Ref) -> User:
    """Take somebody out of a group; oneself is leaving. Raises ``permission_denied`` and what ``member_leave`` does."""
    own = channel_lock(user_id=actor.user_id, channel_id=channel_id)
    only_groups(own.channel)
    person = people_by_ref([ref]).get(ref)
    if person is None:
        raise PlatformError(NOT_FOUND)
    if person.id != actor.user_id:
        may_govern(actor, own)
    _let_go(own.channel, person)
    return person


@transaction.atomic
def member_leave(*, actor: Identity, channel_id: UUID) -> None:
    """Leave a group. Raises ``not_found`` or ``not_a_group``."""
    own = channel_lock(user_id=actor.user_id, channel_id=channel_id)
    only_groups(own.channel)
    _let_go(own.channel, User.objects.get(id=actor.user_id))


@transaction.atomic
def groups_leave(*, person: User) -> int:
    """Take somebody who is gone for good out of all groups. Channels of two stay, for the other one to read."""
    groups = Member.objects.filter(user=person, left_at=None, channel__kind=Channel.Kind.GROUP)
    ids = sorted(groups.values_list("channel_id", flat=True))
    for channel_id in ids:
        _let_go(channel_lock(user_id=person.id, channel_id=channel_id).channel, person)
    return len(ids)


def _let_in(channel: Channel, people: Sequence[User]) -> None:
    """Members from now on. Who was one before has the old row back, as if new."""
    hidden = 0 if setting_value(catalog.HISTORY_FOR_NEW_MEMBERS) else channel.last_seq
    state = {
        "role": Member.Role.MEMBER,
        "last_read_seq": channel.last_seq,
        "hidden_seq": hidden,
        "joined_at": timezone.now(),
        "left_at": None,
        "muted_until": None,
        "hidden": False,
    }
    Member.objects.bulk_create(
        [Member(user=person, channel=channel, **state) for person in people],
        update_conflicts=True,
        unique_fields=["user", "channel"],
        update_fields=list(state),
    )


def _let_go(channel: Channel, person: User) -> None:
    """A member no longer. When the last owner goes, the group is the one's who has been in it for longest."""
    gone = Member.objects.filter(channel=channel, user=person, left_at=None)
    role = gone.values_list("role", flat=True).first()
    if role is None:
        raise PlatformError(NOT_FOUND)
    gone.update(left_at=timezone.now(), role=Member.Role.MEMBER)
    rest = Member.objects.filter(channel=channel, left_at=None)
    if role == Member.Role.OWNER and not rest.filter(role=Member.Role.OWNER).exists():
        _hand_over(channel)
    record(catalog.MEMBER_REMOVED, subject=("channel", channel.id), data={"memberId": str(person.uuid)})
    left = member_ids(channel.id)
    changed = {"removed": [{"id": str(person.uuid), "userId": person.id}], "memberCount": len(left)}
    publish_on_commit([*channel_removed(channel, [person.id]), *channel_updated(channel, left, changed)])


def _hand_over(channel: Channel) -> None:
    # Somebody who is there, if anybody is.
    there = Case(When(user__status=User.Status.ACTIVE, then=Value(0)), default=Value(1))
    heirs = Member.objects.filter(channel=channel, left_at=None).order_by(there, "joined_at", "user_id")
    heir = heirs.values_list("user_id", flat=True).first()
    if heir is not None:
        Member.objects.filter(channel=channel, user_id=heir).update(role=Member.Role.OWNER)
