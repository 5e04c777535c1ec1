"""The events of a batch, all at once: the same as ``decoding`` one by one, in a third of the time.

Nearly all that is sent is right and plain, so here is only decided whether it is.
Whatever is not goes to ``read_event``, which alone knows what is wrong and says so.
"""

from collections.abc import Iterable, Sequence
from itertools import compress, repeat
from typing import Final

import msgspec
from msgspec import UNSET, Raw

from events.decoding import UUID_TEXT, colons, has_controls, keys_of, read_event
from events.metadata import NOTHING, SHORT, counted, holds_nothing_special
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
)
from platform_site.ids import uuid7_texts
from platform_site.moments import read_moment

_sent: Final = msgspec.json.Decoder(Sent)
_all_sent: Final = msgspec.json.Decoder(list[Sent])


def read_events(items: Sequence[Raw], bounds: Bounds) -> list[NewEvent | Refused]:
    """These events in their order, each as it is to be stored or what is wrong with it, with ids of their own."""
    ids, decoded = uuid7_texts(len(items)), _decoded(items)
    plain = _Plain(bounds)
    event = plain.event
    read = [
        event(sent, own_id) if sent is not None and unremarkable else None
        for sent, own_id, unremarkable in zip(decoded, ids, _unremarkable(items), strict=True)
    ]
    # There are never fewer colons than keys: where both are as many in all of them, they are in each.
    if colons(b",".join(compress(items, read))) != plain.keys:
        read = [
            event if sent and event and colons(bytes(raw)) == _keys(sent) else None
            for event, sent, raw in zip(read, decoded, items, strict=True)
        ]
    return [event or read_event(raw, bounds, own_id) for event, raw, own_id in zip(read, items, ids, strict=True)]


def _unremarkable(items: Sequence[Raw]) -> Iterable[bool]:
    """For each of them, whether there can be no metadata in it that are too large or hold what they may not."""
    if max(map(len, items), default=0) <= SHORT and holds_nothing_special(b",".join(items)):
        return repeat(True, len(items))
    return [len(item) <= SHORT and holds_nothing_special(bytes(item)) for item in items]


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

    def event(self, sent: Sent, own_id: str) -> NewEvent | None:
        """None for one that somebody has to look at."""
        app, category, action, message_id = sent.app, sent.category, sent.action, sent.message_id
        if not (
            UUID_TEXT.fullmatch(sent.canonical_id)
            and (app in self._names or self._is_name(app))
            and (category in self._categories or _is_text(category, MAX_CATEGORY, self._categories))
            and (action in self._actions or _is_text(action, MAX_ACTION, self._actions))
        ):
            return None
        keys, actor_id = 4, sent.actor_id
        if actor_id is not UNSET:
            # Who names people is read one by one.
            if actor_id is not None:
                return None
            keys = 5
        if message_id is UNSET:
            message_id = None
        else:
            keys += 1
            if message_id is not None and not (0 < len(message_id) <= MAX_MESSAGE_ID and not has_controls(message_id)):
                return None
        occurred_at, metadata = self._now, sent.metadata
        try:
            if sent.occurred_at is not UNSET:
                keys += 1
                if sent.occurred_at is not None:
                    occurred_at = read_moment(sent.occurred_at)
                    if not self._earliest <= occurred_at <= self._latest:
                        return None
            if metadata is not UNSET:
                keys += 1 + (counted(metadata) if metadata else 0)
        except ValueError:
            return None
        source_type = source_id = ""
        if (source := sent.source) is not UNSET:
            keys += 1
            if source is not None:
                keys += 2
                source_type, source_id = source.entity_type, str(source.entity_id)
                if not (source_type in self._names or self._is_name(source_type)) or not ID_IN_APP.fullmatch(source_id):
                    return None
        self.keys += keys
        return NewEvent(
            own_id,
            sent.canonical_id.lower(),
            app,
            category,
            action,
            occurred_at,
            message_id,
            None,
            source_type,
            source_id,
            metadata or NOTHING,
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
