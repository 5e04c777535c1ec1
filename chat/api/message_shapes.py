"""What messages look like on the wire. What is shown is put together by ``presenting_messages``."""

import re
import unicodedata
from typing import Any, Final

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from chat.api.serializers import LARGEST_SEQ, PersonOutput
from chat.catching_up import MOST_OF_A_CHANNEL
from chat.models import Channel
from platform_site.api.pagination import CursorMeta
from platform_site.api.serializers import FreeMap, Identifier, Moment, Shape, Text, Whole, YesNo

# Code points, and so 40,000 bytes at most.
LONGEST: Final = 10_000
_UUID: Final = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_POSITION: Final = {
    "type": "array",
    "items": {"type": "integer", "minimum": 0, "maximum": LARGEST_SEQ},
    "minItems": 2,
    "maxItems": 2,
}


class Content(Text):
    """What somebody says, as it is: only line ends are made one kind, and control characters are left out."""

    allowed_controls = "\n\t"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, "max_length": LONGEST, **kwargs})

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if isinstance(data, str):
            data = self._clean(data)
            if not data.strip():
                self.fail("blank")
        return super().run_validation(data)

    def _clean(self, text: str) -> str:
        lines = text.replace("\r\n", "\n").replace("\r", "\n")
        return "".join(one for one in lines if one in self.allowed_controls or unicodedata.category(one) != "Cc")


@extend_schema_field(
    {"type": "object", "propertyNames": {"type": "string", "pattern": f"^{_UUID}$"}, "additionalProperties": _POSITION}
)
class Positions(FreeMap):
    """By channel id the position that a client knows: ``[seq, changeSeq]``."""

    default_error_messages = {"invalid": "This must be [seq, changeSeq] under the id of a channel."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        positions = super().to_internal_value(data)
        for channel_id, position in positions.items():
            if not re.fullmatch(_UUID, channel_id) or not _is_position(position):
                self.fail("invalid")
        return {channel_id.lower(): [int(number) for number in position] for channel_id, position in positions.items()}


def _is_position(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))


def _is_number(value: Any) -> bool:
    # A boolean is a number to Python, and 1.0 is a whole one to JSON Schema.
    whole = isinstance(value, (int, float)) and not isinstance(value, bool) and value == value // 1
    return whole and 0 <= value <= LARGEST_SEQ


@extend_schema_field(
    {
        "type": "array",
        "prefixItems": [{"type": "string", "format": "uuid"}, *[{"type": "integer", "minimum": 0}] * 3],
        "minItems": 4,
        "maxItems": 4,
    }
)
class ChannelPosition(serializers.Field[Any, Any, Any, Any]):
    """``[id, lastSeq, changeSeq, lastReadSeq]``, as sockets say it."""


class SendInput(Shape):
    content = Content()
    client_message_id = Text(min_length=1, max_length=64, trim_whitespace=False, allow_null=True, required=False)
    reply_to = Identifier(allow_null=True, required=False)


class EditInput(Shape):
    content = Content()


class MentionedOutput(Shape):
    id = serializers.UUIDField()
    user_id = Whole()
    display_name = Text()


class ReactionOutput(Shape):
    emoji = Text()
    count = Whole(min_value=1)
    user_ids = serializers.ListField(child=Whole())


class MessageOutput(Shape):
    """A deleted message has no content, and ``deletedAt``. ``sender`` is null for somebody who was deleted."""

    id = serializers.UUIDField()
    channel_id = serializers.UUIDField()
    seq = Whole(min_value=1)
    change_seq = Whole(min_value=0)
    sender = PersonOutput(allow_null=True)
    sender_name = Text()
    content = Text(allow_blank=True)
    content_type = serializers.ChoiceField(choices=["text/plain"])
    client_message_id = Text(allow_null=True)
    reply_to = serializers.UUIDField(allow_null=True)
    mentions = MentionedOutput(many=True)
    mentions_everyone = YesNo()
    reactions = ReactionOutput(many=True)
    created_at = Moment()
    edited_at = Moment(allow_null=True)
    deleted_at = Moment(allow_null=True)


class MessagesMeta(CursorMeta):
    last_seq = Whole(min_value=0)
    change_seq = Whole(min_value=0)
    last_read_seq = Whole(min_value=0)


class FoundInOutput(Shape):
    """The name of a direct channel is that of the other one."""

    id = serializers.UUIDField()
    type = serializers.ChoiceField(choices=Channel.Kind.choices)
    name = Text()


class FoundMessageOutput(MessageOutput):
    channel = FoundInOutput()


class SyncInput(Shape):
    """``limit``: messages and changes of one channel; what is more becomes a gap."""

    since = Positions()
    limit = Whole(min_value=1, max_value=MOST_OF_A_CHANNEL, required=False)


class GapOutput(Shape):
    """Messages ``from`` to ``to`` are to be had by ``GET /chat/channels/:id/messages``."""

    channel_id = serializers.UUIDField()
    to = Whole(min_value=0)

    def get_fields(self) -> Any:
        # The word is taken in Python.
        return {**super().get_fields(), "from": Whole(min_value=0)}


class SyncOutput(Shape):
    channels = serializers.ListField(child=ChannelPosition())
    messages = MessageOutput(many=True)
    changed = MessageOutput(many=True)
    gaps = GapOutput(many=True)
    left = serializers.ListField(child=serializers.UUIDField())
