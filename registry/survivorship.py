"""Which of several values of a field is the record's: pinned, else by source, else the most recent one.

Every link brings what its app knew, as a snapshot. Of each field one value
survives; of lists all values do, in the same order of precedence. Nothing is lost:
the others stay in the snapshots and are shown as alternatives.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from platform_site.moments import wire_time

PINNED, SOURCE_ORDER, MOST_RECENT, ONLY_ONE = "pinned", "source_order", "most_recent", "only_one"


@dataclass(frozen=True, slots=True)
class Observation:
    """What one app knew, and when."""

    link_id: UUID
    app: str
    entity_type: str
    entity_id: str
    at: datetime
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Alternative:
    """A value that did not survive, and who says it."""

    value: Any
    said_by: Observation


@dataclass(slots=True)
class Survived:
    """``values`` and ``provenance`` by field; ``alternatives`` are values that differ from the one that survived."""

    values: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, dict[str, Any]] = field(default_factory=dict)
    alternatives: dict[str, list[Alternative]] = field(default_factory=dict)


def survive(
    observations: Iterable[Observation], *, pins: Mapping[str, Any], source_order: Sequence[str] = ()
) -> Survived:
    """The same for the same observations, whatever order they come in."""
    ranks = {app: rank for rank, app in enumerate(source_order)}
    nowhere = len(ranks)

    def precedence(one: Observation) -> tuple[int, float, UUID]:
        # Ids of links are ordered by time: of two that were seen at the same moment the older link counts.
        return ranks.get(one.app, nowhere), -one.at.timestamp(), one.link_id

    ordered = sorted(observations, key=precedence)
    names = dict.fromkeys(name for one in ordered for name, value in one.values.items() if not _empty(value))
    survived = Survived()
    for name in [*names, *(pin for pin in pins if pin not in names)]:
        said = [(one, one.values[name]) for one in ordered if not _empty(one.values.get(name))]
        _decide(survived, name, said, pins, ranks)
    return survived


def _decide(
    survived: Survived,
    name: str,
    said: list[tuple[Observation, Any]],
    pins: Mapping[str, Any],
    ranks: Mapping[str, int],
) -> None:
    if name in pins:
        survived.values[name], survived.provenance[name] = pins[name], {"rule": PINNED}
    else:
        first, value = said[0]
        lists = [item for _, item in said if isinstance(item, list)]
        if isinstance(value, list):
            value = _union(lists)
        survived.values[name] = value
        survived.provenance[name] = {"rule": _rule(said, ranks), **source_of(first)}
    kept = survived.values[name]
    others = [Alternative(value, one) for one, value in said if value != kept and not _within(value, kept)]
    if others:
        survived.alternatives[name] = others


def source_of(one: Observation) -> dict[str, Any]:
    """Who says something, as clients see it."""
    return {
        "linkId": str(one.link_id),
        "app": one.app,
        "entityType": one.entity_type,
        "entityId": one.entity_id,
        "observedAt": wire_time(one.at),
    }


def _rule(said: list[tuple[Observation, Any]], ranks: Mapping[str, int]) -> str:
    if len(said) == 1:
        return ONLY_ONE
    return SOURCE_ORDER if said[0][0].app in ranks else MOST_RECENT


def _empty(value: Any) -> bool:
    return value is None or value in ("", [], {}) or (isinstance(value, str) and not value.strip())


def _union(lists: list[list[Any]]) -> list[Any]:
    # Items may be of any kind, also such as have no hash.
    union: list[Any] = []
    for items in lists:
        union += [item for item in items if item not in union]
    return union


def _within(value: Any, kept: Any) -> bool:
    return isinstance(value, list) and isinstance(kept, list) and all(item in kept for item in value)
