"""``manage.py import_entities`` and ``import_events``: files of any size, stopped and started at any time."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from events.models import Event
from platform_site.binding import bind
from platform_site.importing import Progress, Report, Row, Source, UnreadableFile, import_rows
from registry.models import Entity, Link
from registry.tests.support import entity, register
from tests.support import COMPANY, Api, data

HEADER = "app,entityType,entityId,name,email,city\n"


def imported(path: Path, command: str = "import_entities", *arguments: str) -> dict[str, Any]:
    """What the command says, and under "code" how it ended."""
    out, code = io.StringIO(), 0
    try:
        call_command(command, COMPANY, str(path), "--json", *arguments, stdout=out, stderr=io.StringIO())
    except CommandError as error:
        code = error.returncode
    return {**json.loads(out.getvalue() or "{}"), "code": code}


def refused(path: Path) -> list[dict[str, Any]]:
    report = path.with_name(path.name + ".refused.jsonl")
    return [json.loads(line) for line in report.read_text().splitlines()]


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(
        HEADER
        + "sales,lead,1,Jane Doe,jane@company.com,Bern\n"
        + 'sales,lead,2,John Smith,,"Bern,\nAarberg"\n'
        + "sales,lead,3,,x@company.com,\n"
        + "sales,lead,4,Jim\n"
        + "sales,lead,1,Jane Doe,jane@company.com,Bern\n",
        encoding="utf-8-sig",
    )
    return path


class TestEntities:
    def test_good_rows_are_registered_and_the_report_says_what_is_wrong_with_the_others(
        self, alice: Api, tenant: Any, people: Path
    ) -> None:
        done = imported(people)
        assert (done["counts"], done["code"]) == ({"created": 2, "existing": 1, "refused": 2}, 1)
        assert [(one["line"], one["code"]) for one in refused(people)] == [
            (5, "validation_failed"),
            (6, "malformed_row"),
        ]
        assert refused(people)[0]["details"] == [
            {"field": "name", "code": "required", "message": "This field is required."}
        ]
        found = data(alice.get("/entity-registry/by-entity/sales/lead/1"))["canonical"]["canonicalId"]
        assert entity(alice, found)["attributes"] == {"city": "Bern"}

    def test_again_changes_nothing(self, tenant: Any, people: Path) -> None:
        imported(people)
        assert imported(people)["counts"] == {"existing": 3, "refused": 2}
        with bind(tenant.ref):
            assert Entity.objects.count() == Link.objects.count() == 2

    def test_a_dry_run_only_checks(self, tenant: Any, people: Path) -> None:
        assert imported(people, "import_entities", "--dry-run")["counts"] == {"valid": 3, "refused": 2}
        with bind(tenant.ref):
            assert not Entity.objects.exists()

    def test_json_lines_and_what_the_rows_do_not_say(self, alice: Api, tenant: Any, tmp_path: Path) -> None:
        path = tmp_path / "people.jsonl"
        rows: list[Any] = [
            {"entityId": 7, "email": "jane@company.com", "name": "Jane", "snapshot": {"tags": ["a"]}},
            {"entityId": 8, "email": "jane@company.com"},
            [],
        ]
        path.write_text("\n".join(map(json.dumps, rows)) + '\n{"a": 1, "a": 2}\n\n')
        done = imported(path, "import_entities", "--auto-link", "--app", "crm", "--entity-type", "contact")
        assert done["counts"] == {"created": 1, "linked": 1, "refused": 2}
        assert data(alice.get("/entity-registry/by-entity/crm/contact/8"))["canonical"]["linksCount"] == 2

    @pytest.mark.parametrize("arguments", [("nowhere.csv",), ("rows.txt",)])
    def test_wrong_usage_ends_with_two(self, tenant: Any, tmp_path: Path, arguments: tuple[str]) -> None:
        (tmp_path / "rows.txt").write_text(HEADER)
        assert imported(tmp_path / arguments[0])["code"] == 2
        with pytest.raises(CommandError, match="no tenant") as caught:
            call_command("import_entities", "nobody", str(tmp_path / "rows.txt"))
        assert caught.value.returncode == 2

    @pytest.mark.parametrize("content", ["", "a,a\n1,2\n", "a,\n1,2\n"])
    def test_a_file_without_names_is_refused(self, tenant: Any, tmp_path: Path, content: str) -> None:
        path = tmp_path / "rows.csv"
        path.write_text(content)
        assert imported(path)["code"] == 2


class TestEvents:
    def test_rows_name_a_record_by_its_id_or_by_an_apps_own(self, alice: Api, tenant: Any, tmp_path: Path) -> None:
        made = register(alice, app="sales", entityType="lead", entityId=42)
        path = tmp_path / "events.csv"
        path.write_text(
            "canonicalId,app,entityType,entityId,category,action,occurredAt,campaign\n"
            f"{made['canonicalId']},web,,,visit,page_seen,2026-11-01T10:00:00Z,x\n"
            ",sales,lead,42,mail,opened,2026-11-02T10:00:00+01:00,\n"
            ",sales,lead,43,mail,opened,2026-11-02T10:00:00Z,\n"
            ",sales,lead,42,mail,opened,2026-11-02T10:00:00,\n"
        )
        done = imported(path, "import_events")
        assert (done["counts"], done["code"]) == ({"written": 2, "refused": 2}, 1)
        assert [one["line"] for one in refused(path)] == [4, 5]
        shown = data(alice.get(f"/platform-events/{made['canonicalId']}"))
        assert [(one["action"], one["metadata"]) for one in shown] == [("opened", {}), ("page_seen", {"campaign": "x"})]
        # However often: rows without a messageId have one from their place in the file.
        assert imported(path, "import_events")["counts"] == {"duplicate": 2, "refused": 2}

    def test_a_dry_run_writes_nothing(self, alice: Api, tenant: Any, tmp_path: Path) -> None:
        made = register(alice)
        path = tmp_path / "events.jsonl"
        path.write_text(json.dumps({"canonicalId": made["canonicalId"], "app": "a", "category": "b", "action": "c"}))
        assert imported(path, "import_events", "--dry-run")["counts"] == {"valid": 1}
        with bind(tenant.ref):
            assert not Event.objects.exists()


class TestResuming:
    """The reading of files by itself: no database."""

    @pytest.mark.parametrize("format", ["csv", "jsonl"])
    @pytest.mark.parametrize("stopped_in", range(1, 6))
    def test_a_run_goes_on_with_the_batch_in_which_the_last_one_stopped(
        self, tmp_path: Path, format: str, stopped_in: int
    ) -> None:
        path = tmp_path / f"rows.{format}"
        lines = [f'{n},"a\nb ü"' if format == "csv" else json.dumps({"n": str(n), "t": "ü"}) for n in range(9)]
        path.write_text("\n".join((["n,t"] if format == "csv" else []) + lines) + "\n")
        seen: list[str] = []
        calls = 0

        def store(rows: list[Row], progress: Progress) -> None:
            nonlocal calls
            calls += 1
            if calls == stopped_in:
                raise KeyboardInterrupt
            seen.extend(row.values["n"] for row in rows)
            progress.count("rows", len(rows))

        report = Report(tmp_path / "report")
        with pytest.raises(KeyboardInterrupt):
            import_rows(Source(path), report, batch=2, store=store, told=lambda _: None)
        assert len(seen) == 2 * (stopped_in - 1)
        progress = import_rows(Source(path), report, batch=2, store=store, told=lambda _: None)
        assert seen == [str(n) for n in range(9)]
        assert progress.counts == {"rows": 9}

    def test_a_file_that_was_changed_is_not_gone_on_with(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.jsonl"
        path.write_text('{"a": 1}\n' * 4)

        def stop(rows: list[Row], progress: Progress) -> None:
            if progress.line:
                raise KeyboardInterrupt

        report = Report(tmp_path / "report")
        with pytest.raises(KeyboardInterrupt):
            import_rows(Source(path), report, batch=2, store=stop, told=lambda _: None)
        path.write_text('{"a": 1}\n' * 5)
        with pytest.raises(UnreadableFile, match="was changed"):
            import_rows(Source(path), report, batch=2, store=stop, told=lambda _: None)

    def test_bytes_that_are_no_text_are_said_with_their_line(self, tmp_path: Path) -> None:
        path = tmp_path / "rows.csv"
        path.write_bytes(b"a\n1\n\xff\n")
        with pytest.raises(UnreadableFile, match="Line 3"):
            import_rows(Source(path), Report(tmp_path / "r"), batch=9, store=lambda *_: None, told=lambda _: None)
