"""What channels and people look like on the wire. What is shown is put together by ``presenting_channels``."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError

from accounts.api.refs import PersonRef
from accounts.models import User
from chat.catalog import LARGEST_GROUP
from chat.channel_frames import RECEIPTS_UP_TO
from chat.models import Channel, Member
from chat.presenting_people import present_person
from platform_site.api.pagination import CursorMeta
from platform_site.api.serializers import Identifier, Moment, Shape, Text, Whole, YesNo

# What every client can say exactly.
LARGEST_SEQ = 2**53 - 1


class PersonOutput(Shape):
    """Somebody in a channel. ``active`` is false for who was deactivated or deleted."""

    id = serializers.UUIDField()
    user_id = Whole()
    display_name = Text()
    avatar_url = Text(allow_null=True)
    active = YesNo()


class PickedPersonOutput(Shape):
    """``email`` is null to who may not see people."""

    id = serializers.UUIDField()
    user_id = Whole()
    display_name = Text()
    first_name = Text()
    last_name = Text()
    avatar_url = Text(allow_null=True)
    online = YesNo()
    email = Text(allow_null=True)


class LastMessageOutput(Shape):
    """``preview``: the first 140 characters in one line. ``sender`` is null for somebody who was deleted."""

    id = serializers.UUIDField()
    seq = Whole()
    sender = PersonOutput(allow_null=True)
    preview = Text(allow_blank=True)
    created_at = Moment()
    deleted = YesNo()


class ChannelOutput(Shape):
    """``members`` are the first five. ``otherUser`` is null in groups, ``mutedUntil`` also when it has no end."""

    id = serializers.UUIDField()
    type = serializers.ChoiceField(choices=Channel.Kind.choices)
    name = Text()
    other_user = PersonOutput(allow_null=True)
    member_count = Whole(min_value=0)
    members = PersonOutput(many=True)
    last_seq = Whole(min_value=0)
    change_seq = Whole(min_value=0)
    last_message = LastMessageOutput(allow_null=True)
    last_read_seq = Whole(min_value=0)
    unread_count = Whole(min_value=0)
    mention_count = Whole(min_value=0)
    muted = YesNo()
    muted_until = Moment(allow_null=True)
    hidden = YesNo()
    archived = YesNo()
    role = serializers.ChoiceField(choices=Member.Role.choices)
    can_post = YesNo()
    created_at = Moment()


class OpenedChannelOutput(ChannelOutput):
    created = YesNo()


class ChannelsMeta(CursorMeta):
    unread_count = Whole(min_value=0)


class DirectInput(Shape):
    user_id = PersonRef()


class GroupInput(Shape):
    name = Text(max_length=100)
    member_ids = serializers.ListField(child=PersonRef(), min_length=1, max_length=LARGEST_GROUP)


class ChannelInput(Shape):
    """Only what is to change. ``name`` and ``archived`` are everybody's, the others one's own."""

    name = Text(max_length=100, required=False)
    archived = YesNo(required=False)
    muted = YesNo(required=False)
    muted_until = Moment(required=False, allow_null=True)
    hidden = YesNo(required=False)


class MembersInput(Shape):
    member_ids = serializers.ListField(child=PersonRef(), min_length=1, max_length=LARGEST_GROUP)


class MemberOutput(PersonOutput):
    """``lastReadSeq`` is null in groups of more than fifty."""

    role = serializers.ChoiceField(choices=Member.Role.choices)
    joined_at = Moment()
    last_read_seq = Whole(min_value=0, allow_null=True)


class MembersMeta(CursorMeta):
    member_count = Whole(min_value=0)


class AddedOutput(Shape):
    added = PersonOutput(many=True)


class RemovedOutput(Shape):
    channel_id = serializers.UUIDField()
    id = serializers.UUIDField()
    user_id = Whole()
    removed = YesNo()


class LeftOutput(Shape):
    channel_id = serializers.UUIDField()
    left = YesNo()


class ReadInput(Shape):
    """Up to where. Without anything: up to the last message that there is."""

    seq = Whole(min_value=0, max_value=LARGEST_SEQ, required=False)
    message_id = Identifier(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if len(attrs) > 1:
            raise ValidationError({"messageId": [ErrorDetail("Give seq or messageId, not both.", "invalid")]})
        return attrs


class ReadStateOutput(Shape):
    channel_id = serializers.UUIDField()
    last_read_seq = Whole(min_value=0)
    unread_count = Whole(min_value=0)
    total_unread = Whole(min_value=0)


class AllReadOutput(Shape):
    updated = Whole(min_value=0)
    unread_count = Whole(min_value=0)


class UnreadOutput(Shape):
    unread_count = Whole(min_value=0)
    channels_with_unread = Whole(min_value=0)
    mentions = Whole(min_value=0)


def present_picked(person: User, *, online: bool, with_address: bool) -> dict[str, Any]:
    shown = {
        **present_person(person),
        "firstName": person.first_name,
        "lastName": person.last_name,
        "online": online,
        "email": person.email if with_address else None,
    }
    # Nobody else is in the picker.
    del shown["active"]
    return shown


def present_member(member: Member, *, count: int) -> dict[str, Any]:
    return {
        **present_person(member.user),
        "role": member.role,
        "joinedAt": Moment().to_representation(member.joined_at),
        "lastReadSeq": member.last_read_seq if count <= RECEIPTS_UP_TO else None,
    }
