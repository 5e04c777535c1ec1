"""What is common to all operators' commands: their options, exit codes, and a section in docs/operations.md."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import BaseCommand, CommandError, call_command, get_commands, load_command_class
from django.db import connections
from psycopg import sql

from platform_site.errors import CONFLICT, PlatformError, invalid_field
from platform_site.management.operator import PROBLEMS, REFUSED, OperatorCommand
from tests.support import database_server

# They only name the command to use instead.
INSTEAD = {"migrate", "migrate_schemas"}
# A server, which takes no orders.
SERVERS = {"run_realtime"}
READS = {"doctor", "migration_status", "outbox_status", "tenant_list", "tenant_show"}
OPERATIONS = (settings.BASE_DIR / "docs/operations.md").read_text()


def ours() -> list[str]:
    """The commands of this project's own apps, by name."""
    own = {
        config.name
        for config in apps.get_app_configs()
        if Path(config.path).is_relative_to(settings.BASE_DIR) and "site-packages" not in Path(config.path).parts
    }
    return sorted(name for name, app in get_commands().items() if app in own and name not in INSTEAD)


def command(name: str) -> BaseCommand:
    return load_command_class(get_commands()[name], name)


def options(name: str) -> set[str]:
    parser = command(name).create_parser("manage.py", name)
    return {option for action in parser._actions for option in action.option_strings}


OPERATORS = [name for name in ours() if name not in SERVERS]


@pytest.mark.no_django
class TestEachOfThem:
    def test_there_are_many(self) -> None:
        """So that nothing below holds because nothing was found."""
        assert len(OPERATORS) >= 34
        assert {"billing_sync", "import_events", "outbox_status", "tenants_reap"} < set(OPERATORS)

    @pytest.mark.parametrize("name", OPERATORS)
    def test_it_speaks_json_and_rehearses_what_it_writes(self, name: str) -> None:
        assert isinstance(command(name), OperatorCommand)
        assert "--json" in options(name)
        assert ("--dry-run" in options(name)) is (name not in READS)

    @pytest.mark.parametrize("name", OPERATORS)
    def test_it_says_whether_it_writes(self, name: str) -> None:
        found = command(name)
        assert isinstance(found, OperatorCommand)
        assert found.writes is (name not in READS)

    @pytest.mark.parametrize("name", ours())
    def test_operators_can_read_about_it(self, name: str) -> None:
        """A heading that names it, and an example of how it is called."""
        headings = re.findall(r"^#{2,4} (.+)$", OPERATIONS, re.MULTILINE)
        assert any(re.search(rf"\b{name}\b", heading) for heading in headings)
        assert re.search(rf"^\s*\$ .*manage\.py {name}\b", OPERATIONS, re.MULTILINE)

    @pytest.mark.parametrize("name", OPERATORS)
    def test_its_help_says_what_it_is_for(self, name: str) -> None:
        assert len(command(name).help) > 30


@pytest.mark.commits
def test_what_only_reads_writes_nothing(database: None, committed: str) -> None:
    """They work, and say the same, where nobody can write."""
    arguments = {"tenant_show": ["acme"]}
    before = {name: said(name, *arguments.get(name, [])) for name in READS}
    with database_server() as server:
        server.execute(
            sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(sql.Identifier(committed))
        )
    connections.close_all()
    assert {name: said(name, *arguments.get(name, [])) for name in READS} == before


def said(name: str, *arguments: str) -> Any:
    """What it says, without how long something took."""
    out, code = io.StringIO(), 0
    try:
        call_command(name, *arguments, "--json", stdout=out)
    except SystemExit as ended:
        code = int(ended.code or 0)
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    if name == "doctor":
        return code, {one["name"]: one["state"] for one in told[0]["examinations"]}
    if name == "outbox_status":
        for queue in told[0]["queues"]:
            del queue["lateSeconds"]
    return code, told


class Told(OperatorCommand):
    """A command for trying out what all have in common."""

    writes = True
    refusals: ClassVar[tuple[type[Exception], ...]] = (LookupError,)

    def __init__(self, result: Any, code: int = 0, complaint: str = "") -> None:
        self.said, self.shown = io.StringIO(), io.StringIO()
        super().__init__(stdout=self.said, stderr=self.shown)
        self._result, self._code, self._complaint = result, code, complaint

    def run(self, **options: Any) -> Any:
        if isinstance(self._result, Exception):
            raise self._result
        if isinstance(self._result, range):
            return self.progress(self._result, total=len(self._result), unit="thing")
        return {**self._result, "dryRun": options["dry_run"]}

    def text(self, result: Any) -> str:
        return f"In words: {result}"

    def exit_code(self, result: Any) -> int:
        return self._code

    def complaint(self, result: Any) -> str:
        return self._complaint


def printed(told: Told, *arguments: str) -> str:
    call_command(told, *arguments)
    return told.said.getvalue()


@pytest.mark.no_django
class TestWhatTheyHaveInCommon:
    def test_words_or_json_or_nothing(self) -> None:
        assert printed(Told({"a": 1})) == "In words: {'a': 1, 'dryRun': False}\n"
        assert json.loads(printed(Told({"a": 1}), "--json", "--dry-run")) == {"a": 1, "dryRun": True}
        assert printed(Told({"a": 1}), "--verbosity", "0") == ""
        assert json.loads(printed(Told({"a": 1}), "--verbosity", "0", "--json"))["a"] == 1

    def test_what_comes_bit_by_bit_is_a_line_each(self) -> None:
        assert printed(Told(range(3)), "--json") == "0\n1\n2\n"

    def test_a_refusal_is_a_line_and_exit_code_1(self) -> None:
        refused: list[Exception] = [PlatformError(CONFLICT, "No."), invalid_field("slug", CONFLICT, "Not this one.")]
        for error, line in zip([*refused, LookupError("Gone.")], ("No.", "Not this one.", "Gone."), strict=True):
            with pytest.raises(CommandError, match=re.escape(line)) as caught:
                printed(Told(error))
            assert caught.value.returncode == REFUSED
        with pytest.raises(ZeroDivisionError):
            printed(Told(ZeroDivisionError()))

    def test_a_result_that_is_no_success_is_printed_all_the_same(self) -> None:
        told = Told({"a": 1}, code=PROBLEMS)
        with pytest.raises(SystemExit) as ended:
            call_command(told, "--json")
        assert (ended.value.code, json.loads(told.said.getvalue())["a"]) == (PROBLEMS, 1)
        told = Told({"a": 1}, code=REFUSED, complaint="Three were left.")
        with pytest.raises(CommandError, match="Three were left") as caught:
            call_command(told, "--json")
        assert (caught.value.returncode, json.loads(told.said.getvalue())["a"]) == (REFUSED, 1)

    @pytest.mark.parametrize(("arguments", "shown"), [([], True), (["--json"], False), (["--verbosity", "0"], False)])
    def test_a_bar_is_for_whoever_watches(
        self, arguments: list[str], shown: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        told = Told(range(3))
        call_command(told, *arguments)
        assert told.shown.getvalue() == ""
        monkeypatch.setattr(told.shown, "isatty", lambda: True)
        call_command(told, *arguments)
        bar = told.shown.getvalue()
        assert ("0/3 [" in bar, "\n" in bar) == (shown, False)


@pytest.mark.no_django
def test_iterators_are_read_while_they_are_written() -> None:
    seen: list[int] = []

    class Endless(Told):
        def run(self, **options: Any) -> Iterator[int]:
            for number in range(3):
                seen.append(number)
                yield number

        def text(self, result: Any) -> str:
            assert seen[-1] == result
            return str(result)

    assert printed(Endless({})) == "0\n1\n2\n"
