"""Whom events are about. Events know them by id alone; who keeps them says here how an id is resolved.

The registry stands above this app and plugs itself in when it is loaded, so that
ingest can refuse an id that is nobody's, and a list can hold what was sent to ids
that have become part of another record since.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Subject:
    """One record as an id leads to it today.

    ``canonical_id`` differs from the id that was asked for when that record is part of another one now.
    """

    canonical_id: UUID
    erased: bool = False


@dataclass(frozen=True, slots=True)
class MergedSet:
    """A record and all ids that lead to it, its own among them: where its events are."""

    subject: Subject
    ids: tuple[UUID, ...]


class Directory(Protocol):
    """What the keeper of the records answers, in the bound tenant."""

    def subjects(self, ids: Collection[UUID]) -> Mapping[UUID, Subject]:
        """Where these ids lead, in two statements; an id that is nobody's is not in the answer.

        None of those that are there can be erased before the caller's transaction ends.
        """

    def elsewhere(self, ids: Collection[str]) -> Mapping[str, Subject | None]:
        """Those of these ids that are not simply the id of a record as it is today: where they lead, None for
        nobody's. Ids are texts in small letters. Two statements where there is none of them, and one more otherwise.

        As with ``subjects``, none of those that are there can be erased before the caller's transaction ends.
        """

    def merged_set(self, canonical_id: UUID) -> MergedSet | None:
        """The record that this id leads to, in one statement; None for an id that is nobody's."""

    def linked_apps(self, canonical_id: UUID) -> Sequence[str]:
        """Apps that have a record which stands for this one, in their order, in one statement."""


class NoDirectory(RuntimeError):
    """No app keeps records in this installation."""


_directory: Directory | None = None


def plug_in(directory: Directory) -> None:
    global _directory
    _directory = directory


def directory() -> Directory:
    """The keeper of the records; raises ``NoDirectory`` when none was plugged in."""
    if _directory is None:
        raise NoDirectory("Nobody plugged a directory of records into events.")
    return _directory
