"""Running examinations: each in a thread of its own, for as long as it may take, after those that it needs."""

import threading
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import structlog
from django.db import connections

from platform_site.doctor.catalog import Examination, Finding, Group, State, problem, skipped
from platform_site.doctor.redacting import without_secrets

log = structlog.get_logger(__name__)

_NO_USE = frozenset({State.PROBLEM, State.SKIPPED})
_ORDER = {group: place for place, group in enumerate(Group)}


@dataclass(frozen=True, slots=True)
class Report:
    """What one examination found."""

    key: str
    finding: Finding


class Round:
    """One round of examinations; none runs twice, also when several need it."""

    def __init__(self, catalogue: Iterable[Examination], *, online: bool = False) -> None:
        self._catalogue = {examination.key: examination for examination in catalogue}
        self._online = online
        self._found: dict[str, Finding] = {}

    def reports(self, only: Collection[str] = ()) -> Iterator[Report]:
        """All of them in the order of their groups, or those whose key or group is named in ``only``."""
        ordered = sorted(self._catalogue.values(), key=lambda examination: _ORDER[examination.group])
        for examination in ordered:
            if not only or examination.key in only or examination.group in only:
                yield Report(examination.key, self._finding(examination))

    def _finding(self, examination: Examination) -> Finding:
        if examination.key not in self._found:
            self._found[examination.key] = self._look(examination)
        return self._found[examination.key]

    def _look(self, examination: Examination) -> Finding:
        if examination.online and not self._online:
            return skipped("It asks the world outside: run with --online.")
        for key in examination.needs:
            if self._finding(self._catalogue[key]).state in _NO_USE:
                return skipped(f"It needs {key}.")
        found = _in_time(examination)
        return Finding(found.state, without_secrets(found.found), without_secrets(found.todo))


def _in_time(examination: Examination) -> Finding:
    answers: list[Finding] = []
    thread = threading.Thread(target=_answer, args=[examination, answers], name=examination.key, daemon=True)
    thread.start()
    thread.join(examination.timeout)
    if answers:
        return answers[0]
    # The thread is left behind; it ends with the process.
    return problem(f"No answer within {examination.timeout:g} seconds.", "Find out what it waits for.")


def _answer(examination: Examination, answers: list[Finding]) -> None:
    try:
        answers.append(examination.examine())
    except Exception as error:
        # Whatever it raises is the finding; the log has the whole story.
        log.debug("doctor.examination_failed", examination=examination.key, exc_info=True)
        answers.append(problem(f"{type(error).__name__}: {error}", "Mend what the message names."))
    finally:
        connections.close_all()
