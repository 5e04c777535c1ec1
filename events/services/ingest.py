"""Taking in what apps say has happened: each event is stored once, or refused by itself with a reason."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property, partial
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import DataError, transaction
from django.db.models import Q
from django.utils import timezone
from msgspec import Raw

from accounts.models import User
from events import errors
from events.catalog import RETENTION_DAYS
from events.decoding_many import read_events
from events.new_event import NewEvent
from events.sent import EARLIEST, Bounds, Refused
from events.services.storing import Outcome, Stored, events_store, events_store_one_by_one
from events.subjects import Subject, directory
from platform_site.errors import MALFORMED_JSON, VALIDATION_FAILED, ErrorCode, FieldError, PlatformError, error_codes
from platform_site.metrics.instruments import Counter
from tenancy.org_settings.selectors import setting_value

Store = Callable[[Sequence[NewEvent]], Outcome]
INGESTED: Final = Counter("core_events_ingested_total", "Events that were sent, by what became of them", ("outcome",))


class Ingested(msgspec.Struct, frozen=True, gc=False):
    """An event that is stored. ``again``: since before, and then all of it is about the first one.

    ``leads_to`` is where its id leads today.
    """

    leads_to: str
    stored: Stored
    again: bool


Result = Ingested | Refused | None


@dataclass(frozen=True)
class Report:
    """What became of each event of a batch, in its order; None for one that was not stored for another's sake."""

    results: Sequence[Result]

    @cached_property
    def refused(self) -> list[tuple[int, Refused]]:
        return [(index, one) for index, one in enumerate(self.results) if isinstance(one, Refused)]

    @cached_property
    def again(self) -> list[int]:
        return [index for index, one in enumerate(self.results) if isinstance(one, Ingested) and one.again]


def event_ingest(*, item: Raw) -> Ingested:
    """Store one event. Raises ``validation_failed``, ``malformed_json``, ``metadata_too_large``,
    ``unknown_canonical`` and ``subject_erased``.
    """
    (result,) = events_ingest(items=[item]).results
    if isinstance(result, Ingested):
        return result
    raise _refusal(result.problems if result else [_UNSTORABLE])


def events_ingest(*, items: Sequence[Raw], all_or_none: bool = False) -> Report:
    """Store these events, in one transaction. Those that are refused keep no other from being stored,
    unless it shall be ``all_or_none``: then nothing is, as soon as one is refused.
    """
    try:
        report = _ingest(items, all_or_none, events_store)
    except DataError:
        # Something that the database does not take was not seen. Slowly, then, for all the others.
        report = _ingest(items, all_or_none, events_store_one_by_one)
    if INGESTED.is_on:
        transaction.on_commit(partial(_count, report))
    return report


def _count(report: Report) -> None:
    refused, again = len(report.refused), len(report.again)
    stored = sum(isinstance(one, Ingested) for one in report.results) - again
    for outcome, number in (("stored", stored), ("again", again), ("refused", refused)):
        if number:
            INGESTED.add(outcome, by=number)


@transaction.atomic
def _ingest(items: Sequence[Raw], all_or_none: bool, store: Store) -> Report:
    bounds = _bounds()
    read = _with_actors(read_events(items, bounds))
    asked = {one.canonical_id for one in read if isinstance(one, NewEvent)}
    elsewhere = directory().elsewhere(asked)
    known = [_with_subject(one, elsewhere) for one in read] if elsewhere else read
    if all_or_none and any(isinstance(one, Refused) for one in known):
        return _nothing(known)
    firsts, first_of = _without_repetitions(known)
    outcome = store(firsts)
    leads_to = _leads_to(outcome, asked, elsewhere)
    results = [
        one if isinstance(one, Refused) else _result(one, firsts[first], outcome[first], leads_to)
        for one, first in zip(known, first_of, strict=True)
    ]
    if all_or_none and any(isinstance(one, Refused) for one in results):
        transaction.set_rollback(True)
        return _nothing(results)
    return Report(results)


def _leads_to(outcome: Outcome, asked: Set[str], elsewhere: Mapping[str, Subject | None]) -> Mapping[str, str]:
    """Where those ids of stored events lead that do not lead to themselves.

    A message id may have been used about somebody else before.
    """
    if others := {stored.canonical_id for stored in outcome if stored and stored.again} - asked:
        elsewhere = {**elsewhere, **directory().elsewhere(others)}
    return {asked: str(subject.canonical_id) for asked, subject in elsewhere.items() if subject}


def _result(event: NewEvent, first: NewEvent, stored: Stored | None, leads_to: Mapping[str, str]) -> Result:
    if stored is None:
        return Refused([_UNSTORABLE], event.message_id)
    sent = stored.canonical_id
    return Ingested(leads_to.get(sent, sent), stored, stored.again or event is not first)


def _nothing(results: Sequence[NewEvent | Result]) -> Report:
    return Report([one if isinstance(one, Refused) else None for one in results])


_UNSTORABLE: Final = FieldError("metadata", errors.INVALID_METADATA.key, errors.INVALID_METADATA.message)


def _bounds() -> Bounds:
    now, days = timezone.now(), setting_value(RETENTION_DAYS)
    return Bounds(now, max(EARLIEST, now - timedelta(days=days)) if days else EARLIEST)


def _with_actors(read: list[NewEvent | Refused]) -> list[NewEvent | Refused]:
    """With the id of each person who is named; one query, and none where nobody is."""
    named = {one.actor_id for one in read if isinstance(one, NewEvent)} - {None}
    if not named:
        return read
    numbers = [one for one in named if isinstance(one, int)]
    uuids = [one for one in named if isinstance(one, UUID)]
    found = User.objects.filter(Q(id__in=numbers) | Q(uuid__in=uuids)).values_list("id", "uuid")
    people: dict[Any, UUID] = {}
    for number, uuid in found:
        people[number] = people[uuid] = uuid
    return [_with_actor(one, people) if isinstance(one, NewEvent) else one for one in read]


def _with_actor(event: NewEvent, people: dict[Any, UUID]) -> NewEvent | Refused:
    if event.actor_id is None:
        return event
    if event.actor_id not in people:
        return _refused(event, "actorId", errors.UNKNOWN_ACTOR)
    event.actor_id = people[event.actor_id]
    return event


def _with_subject(event: NewEvent | Refused, elsewhere: Mapping[str, Subject | None]) -> NewEvent | Refused:
    if isinstance(event, Refused) or event.canonical_id not in elsewhere:
        return event
    subject = elsewhere[event.canonical_id]
    if subject is None:
        return _refused(event, "canonicalId", errors.UNKNOWN_CANONICAL)
    return _refused(event, "canonicalId", errors.SUBJECT_ERASED) if subject.erased else event


def _refused(event: NewEvent, field: str, code: ErrorCode) -> Refused:
    return Refused([FieldError(field, code.key, code.message)], event.message_id)


def _without_repetitions(known: Sequence[NewEvent | Refused]) -> tuple[list[NewEvent], list[int]]:
    """The first of each message id, and for every event the place of its first among them; -1 for who is refused."""
    firsts: list[NewEvent] = []
    places: list[int] = []
    seen: dict[tuple[str, str], int] = {}
    for event in known:
        if isinstance(event, Refused):
            places.append(-1)
            continue
        new = len(firsts)
        place = new if event.message_id is None else seen.setdefault((event.app, event.message_id), new)
        places.append(place)
        if place == new:
            firsts.append(event)
    return firsts, places


def _refusal(problems: Sequence[FieldError]) -> PlatformError:
    """One problem that is more than a wrong field is the whole answer."""
    first = problems[0]
    code = error_codes.get(first.code)
    if len(problems) == 1 and (code.status != 400 or code is MALFORMED_JSON):
        return PlatformError(code, first.message, details=problems if first.field else ())
    return PlatformError(VALIDATION_FAILED, details=problems)
