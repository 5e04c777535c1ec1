"""Who is named in a message: ``<@5>``, ``<@the person's id>`` and ``<@all>`` in its text.

Pure. Whether such a person is in the channel is for a query to say; who is not is
not mentioned, whatever the text says.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from chat.presenting_messages import EVERYBODY

_NAMED: Final = re.compile(
    r"<@(?:(?P<all>all)|(?P<number>[1-9][0-9]{0,9})|(?P<uuid>[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}))>",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Named:
    """What stands in a text, before anybody was looked up."""

    everybody: bool
    numbers: Sequence[int]
    uuids: Sequence[UUID]

    @property
    def anybody(self) -> bool:
        return bool(self.numbers or self.uuids)


def named_in(content: str) -> Named:
    found = list(_NAMED.finditer(content))
    return Named(
        everybody=any(one["all"] for one in found),
        numbers=sorted({int(one["number"]) for one in found if one["number"]}),
        uuids=sorted({UUID(one["uuid"]) for one in found if one["uuid"]}),
    )


def mentioned_among(mentioned: Iterable[int], members: Iterable[int], *, sender_id: int) -> set[int]:
    """Whom of these members the numbers of ``Message.mentioned`` concern. Nobody mentions oneself."""
    wanted, present = set(mentioned), set(members) - {sender_id}
    return present if EVERYBODY in wanted else present & wanted
