"""The events of a batch, all at once: the same as ``decoding`` one by one, in a third of the time.

Nearly all that is sent is right and plain, so here is only decided whether it is.
Whatever is not goes to ``read_event``, which alone knows what is wrong and says so.
"""

from collections.abc import Sequence
from itertools import compress
from typing import Final

import msgspec
from msgspec import UNSET, Raw

from events.decoding import UUID_TEXT, colons, has_controls, keys_of, read_event
from events.metadata import NOTHING, counted, unremarkable
from events.misshapen import UNREADABLE
from events.new_event import NewEvent
from events.sent import (
    AHEAD,
    ID_IN_APP,
    MAX_ACTION,
    MAX_CATEGORY,
    MAX_MESSAGE_ID,
    NAME,
    Bounds,
    Refused,
    Sent,
    Source,
)
from platform_site.ids import uuid7_texts
from platform_site.moments import read_moment

_sent: Final = msgspec.json.Decoder(Sent)
_all_sent: Final = msgspec.json.Decoder(list[Sent])


def read_events(items: Sequence[Raw], bounds: Bounds) -> list[NewEvent | Refused]:
    """These events in their order, each as it is to be stored or what is wrong with it, with ids of their own."""
    ids, decoded = uuid7_texts(len(items)), _decoded(items)
    plain = _Plain(bounds)
    read = [
        None if sent is None else plain.event(sent, raw, own_id)
        for sent, raw, own_id in zip(decoded, items, ids, strict=True)
    ]
    # There are never fewer colons than keys: where both are as many in all of them, they are in each.
    if colons(b",".join(compress(items, read))) != plain.keys:
        read = [
            event if sent and event and colons(bytes(raw)) == _keys(sent) else None
            for event, sent, raw in zip(read, decoded, items, strict=True)
        ]
    return [event or read_event(raw, bounds, own_id) for event, raw, own_id in zip(read, items, ids, strict=True)]


def _decoded(items: Sequence[Raw]) -> Sequence[Sent | None]:
    """None for one that is no event at all."""
    try:
        sent = _all_sent.decode(b"[" + b",".join(items) + b"]")
    except (msgspec.ValidationError, *UNREADABLE):
        return [_decoded_alone(item) for item in items]
    # The body of one event has been cut out of nothing, and may be two.
    return sent if len(sent) == len(items) else [None] * len(items)


def _decoded_alone(item: Raw) -> Sent | None:
    try:
        return _sent.decode(item)
    except (msgspec.ValidationError, *UNREADABLE):
        return None


def _keys(sent: Sent) -> int:
    return keys_of(sent) + (counted(sent.metadata) if sent.metadata else 0)


class _Plain:
    """Reads those events of a batch in which there is nothing to change or to refuse.

    Names that it has found to be right it does not look at again.
    """

    __slots__ = ("_actions", "_categories", "_earliest", "_latest", "_names", "_now", "keys")

    def __init__(self, bounds: Bounds) -> None:
        self._now, self._earliest, self._latest = bounds.now, bounds.earliest, bounds.now + AHEAD
        self._names: set[str] = set()
        self._categories: set[str] = set()
        self._actions: set[str] = set()
        # Of all events that it has given.
        self.keys = 0

    def event(self, sent: Sent, raw: Raw, own_id: str) -> NewEvent | None:
        """None for one that somebody has to look at."""
        canonical_id, message_id, text, source = sent.canonical_id, sent.message_id, sent.occurred_at, sent.source
        if not (
            unremarkable(bytes(raw))
            and UUID_TEXT.fullmatch(canonical_id)
            and (sent.app in self._names or self._is_name(sent.app))
            and (sent.category in self._categories or _is_text(sent.category, MAX_CATEGORY, self._categories))
            and (sent.action in self._actions or _is_text(sent.action, MAX_ACTION, self._actions))
            and (not isinstance(message_id, str) or _is_message_id(message_id))
            # Who names people is read one by one.
            and (sent.actor_id is UNSET or sent.actor_id is None)
        ):
            return None
        try:
            occurred_at = read_moment(text) if isinstance(text, str) else self._now
            keys = counted(sent.metadata) if sent.metadata else 0
        except ValueError:
            return None
        if not self._earliest <= occurred_at <= self._latest:
            return None
        source_type = source_id = ""
        if isinstance(source, Source):
            source_type, source_id = source.entity_type, str(source.entity_id)
            if not (source_type in self._names or self._is_name(source_type)) or not ID_IN_APP.fullmatch(source_id):
                return None
        self.keys += keys + keys_of(sent)
        return NewEvent(
            own_id,
            canonical_id.lower(),
            sent.app,
            sent.category,
            sent.action,
            occurred_at,
            message_id or None,
            None,
            source_type,
            source_id,
            sent.metadata or NOTHING,
        )

    def _is_name(self, text: str) -> bool:
        if NAME.fullmatch(text):
            self._names.add(text)
            return True
        return False


def _is_text(text: str, longest: int, seen: set[str]) -> bool:
    if text and len(text) <= longest and text == text.strip() and not has_controls(text):
        seen.add(text)
        return True
    return False


def _is_message_id(text: str) -> bool:
    return 0 < len(text) <= MAX_MESSAGE_ID and not has_controls(text)
