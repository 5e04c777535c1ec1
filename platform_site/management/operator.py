"""What operators' commands have in common: ``--json``, ``--dry-run``, progress, exit codes.

Exit codes: 0 done, or nothing to do; 1 refused or failed; 2 wrong usage, no such tenant, or, for commands that
look for problems, problems found. Each command says in its ``help`` and in docs/operations.md what these are for it.
"""

import json
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, ClassVar, Literal, TypeVar

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from tqdm import tqdm

from platform_site.binding import TenantRef
from platform_site.context import WorkContext, work_context
from platform_site.errors import PlatformError
from platform_site.owner import as_owner
from platform_site.tenants import find_tenant

REFUSED, USAGE, PROBLEMS = 1, 2, 2
Item = TypeVar("Item")


class OperatorCommand(BaseCommand):
    """Write ``options`` and ``run``; ``run`` gives what is printed as JSON, ``text`` makes words of it.

    A ``run`` that gives an iterator is written as it comes, an object a line. With ``--verbosity 0`` there are no
    words.
    """

    requires_system_checks: tuple[str, ...] | Literal["__all__"] = ()
    # Each command says whether it changes anything; those that do get --dry-run.
    writes: ClassVar[bool]
    # Runs all of it as the database's owner.
    needs_owner: ClassVar[bool] = False
    # Beside PlatformError, what becomes a line on standard error and exit code 1.
    refusals: ClassVar[tuple[type[Exception], ...]] = ()
    quiet = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        if self.writes:
            parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
        self.options(parser)

    def options(self, parser: ArgumentParser) -> None:
        """Arguments of the command's own."""

    def run(self, **options: Any) -> Any:
        """Do it, and give what there is to say as JSON knows it (camelCase keys)."""
        raise NotImplementedError

    def text(self, result: Any) -> str:
        """The same for a person at a terminal."""
        raise NotImplementedError

    def exit_code(self, result: Any) -> int:
        """0, or what a result that is no success means."""
        return 0

    def complaint(self, result: Any) -> str:
        """Said on standard error when the exit code is not 0; empty where the result itself says it."""
        return ""

    def handle(self, *args: Any, **options: Any) -> None:
        self.quiet = options["json"] or options["verbosity"] == 0
        origin = type(self).__module__.rpartition(".")[2]
        refused: tuple[type[Exception], ...] = (PlatformError, *self.refusals)
        with ExitStack() as stack:
            stack.enter_context(work_context(WorkContext(origin=origin)))
            if self.needs_owner:
                stack.enter_context(as_owner())
            try:
                result = self.run(**options)
                for one in result if isinstance(result, Iterator) else (result,):
                    self._say(one, **options)
            except refused as error:
                raise CommandError(refusal(error), returncode=REFUSED) from error
        if code := self.exit_code(result):
            if complaint := self.complaint(result):
                raise CommandError(complaint, returncode=code)
            raise SystemExit(code)

    def _say(self, one: Any, **options: Any) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(one, default=str))
        elif options["verbosity"]:
            self.stdout.write(self.text(one))

    def bar(self, items: Iterable[Any] = (), **options: Any) -> "tqdm[Any]":
        """A bar on standard error where somebody watches; ``options`` are tqdm's."""
        # Django's wrapper would end each drawing of the bar with a line break.
        behind: Any = self.stderr._out
        quiet = self.quiet or not self.stderr.isatty()
        return tqdm(items, file=behind, disable=quiet, leave=False, **options)

    def progress(self, items: Iterable[Item], *, total: int | None = None, unit: str) -> Iterator[Item]:
        """The items, with a bar."""
        yield from self.bar(items, total=total, unit=unit)


@contextmanager
def rehearsed(dry_run: bool) -> Iterator[None]:
    """A transaction around services; with ``dry_run`` all of it is taken back, so what would be refused is refused."""
    with transaction.atomic():
        yield
        transaction.set_rollback(dry_run)


def refusal(error: Exception) -> str:
    """The refusal in a line, with what is wrong with which field."""
    if not isinstance(error, PlatformError):
        return str(error)
    said = [detail.message for detail in error.details if detail.message != error.message]
    return " ".join([error.message, *said])


def tenant_named(slug: str) -> TenantRef:
    """The tenant, whatever its status; ends the command with exit code 2 when there is none."""
    found = find_tenant(slug=slug)
    if found is None:
        raise CommandError(f"There is no tenant {slug!r}.", returncode=USAGE)
    return found
