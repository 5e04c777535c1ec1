"""``manage.py doctor``: what is wrong with this installation, and what to do about it."""

import logging
from argparse import ArgumentParser
from collections import Counter
from typing import Any, Final

from django.core.management.base import CommandError

from platform_site.doctor.catalog import State
from platform_site.doctor.everything import everything
from platform_site.doctor.examining import Report, Round
from platform_site.management.operator import PROBLEMS, USAGE, OperatorCommand

_SIGNS: Final = {State.OK: "ok", State.WARNING: "warning", State.PROBLEM: "PROBLEM", State.SKIPPED: "skipped"}


class Command(OperatorCommand):
    help = (
        "Looks at settings, keys, database, Valkey, worker, tenants, mail and billing, and says what is wrong and what"
        " to do. It only looks. Works when the database is away. Exit code 0: nothing is wrong, there may be warnings."
        " 2: there are problems. 1: it could not look."
    )
    writes = False

    def options(self, parser: ArgumentParser) -> None:
        parser.add_argument("--only", nargs="+", metavar="NAME", default=[], help="these examinations or groups alone")
        parser.add_argument("--online", action="store_true", help="also ask the DNS about the sender's domain")
        parser.add_argument("--list", action="store_true", help="name all examinations, and look at nothing")

    def run(self, **options: Any) -> dict[str, Any]:
        known = {name for examination in everything for name in (examination.key, examination.group)}
        if unknown := sorted(set(options["only"]) - known):
            raise CommandError(f"There is no examination {unknown[0]!r}. --list names all.", returncode=USAGE)
        if options["list"]:
            return {"names": sorted(examination.key for examination in everything)}
        before = logging.root.manager.disable
        # Clients tell of each call; what is wrong is told by the findings.
        logging.disable(logging.INFO)
        try:
            return self._look(**options)
        finally:
            logging.disable(before)

    def _look(self, **options: Any) -> dict[str, Any]:
        looked = Round(everything, online=options["online"]).reports(options["only"])
        reports = list(self.progress(looked, total=None if options["only"] else len(everything), unit="look"))
        counted = Counter(report.finding.state for report in reports)
        return {
            "healthy": not counted[State.PROBLEM],
            "counts": {str(state): counted[state] for state in State},
            "examinations": [_as_json(report) for report in reports],
        }

    def exit_code(self, result: Any) -> int:
        return 0 if result.get("healthy", True) else PROBLEMS

    def text(self, result: Any) -> str:
        if "names" in result:
            return "\n".join(result["names"])
        lines = [line for examination in result["examinations"] for line in _lines(examination)]
        counts = result["counts"]
        wrong = [f"{counts[state]} {word}" for state, word in _WORDS.items() if counts[state]]
        return "\n".join([*lines, "", ", ".join(wrong) if wrong else "All green."])


_WORDS: Final = {State.PROBLEM: "problems", State.WARNING: "warnings"}


def _as_json(report: Report) -> dict[str, str]:
    found = report.finding
    return {"name": report.key, "state": str(found.state), "found": found.found, "todo": found.todo}


def _lines(examination: dict[str, str]) -> list[str]:
    line = f"{_SIGNS[State(examination['state'])]:<8} {examination['name']:<22} {examination['found']}"
    return [line, f"{'':<8} {'':<22} -> {examination['todo']}"] if examination["todo"] else [line]
