"""``ENCRYPTION_KEYS``: everything sealed moves to the new key, and the old one can go."""

import json
import threading
from io import StringIO
from typing import Any

import pytest
from django.conf import settings as now
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import override_settings

from notifications.email_settings.smtp_server import server_of, server_row, server_set
from notifications.models import SmtpServer
from platform_site.binding import bind
from platform_site.ids import uuid7
from platform_site.keys import seal
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.services import place
from platform_site.rotation.counting import count_uses
from platform_site.rotation.finishing import what_needs_the_old_key
from platform_site.rotation.moving import move_all
from platform_site.rotation.tests.conftest import NEXT, Filled
from platform_site.sealed_columns import reseal, sealed_columns
from tests.support import finishes_before_kill, scaled, threads_close_connections, until_somebody_waits


def rotate(*arguments: str) -> Any:
    out = StringIO()
    call_command("rotate_secrets", "--json", *arguments, stdout=out)
    return json.loads(out.getvalue())


def refusal(*arguments: str) -> str:
    with pytest.raises(CommandError) as refused:
        rotate(*arguments)
    assert refused.value.returncode == 1
    return str(refused.value)


@pytest.fixture
def overlap(filled: Filled, settings: Any) -> str:
    """The new key is first, the old one behind it. Gives the old one's id."""
    old = settings.ENCRYPTION_KEYS[0]
    settings.ENCRYPTION_KEYS = [NEXT, old]
    kid: str = old[0]
    return kid


def under() -> dict[str, dict[str, int]]:
    return {what: dict(counted) for what, counted in count_uses().by_ring["ENCRYPTION_KEYS"].items()}


def test_with_both_keys_everything_can_be_read(filled: Filled, overlap: str) -> None:
    assert filled.is_readable()
    # The fixture has something in every column that is sealed, so a new one is tried as well.
    assert under() == {column.key: {overlap: 1} for column in sealed_columns}


def test_resealing_moves_everything_and_the_old_key_can_go(filled: Filled, overlap: str, settings: Any) -> None:
    assert what_needs_the_old_key("ENCRYPTION_KEYS") == {column.key: 1 for column in sealed_columns}
    assert "is still needed by 1 of accounts.second_factors, 1 of idempotency.answers" in refusal(
        "--finish", "ENCRYPTION_KEYS"
    )
    assert rotate("--reseal")["resealed"] == {column.key: 1 for column in sealed_columns}
    assert under() == {column.key: {NEXT[0]: 1} for column in sealed_columns}
    assert rotate("--finish", "ENCRYPTION_KEYS")["without"] == {"ENCRYPTION_KEYS": ":".join(NEXT)}
    settings.ENCRYPTION_KEYS = [NEXT]
    assert filled.is_readable()


def test_a_second_run_finds_nothing_to_do(filled: Filled, overlap: str) -> None:
    rotate("--reseal")
    assert set(rotate("--reseal")["resealed"].values()) == {0}


def test_a_dry_run_only_counts(filled: Filled, overlap: str) -> None:
    rotate("--reseal", "--dry-run")
    assert under() == {column.key: {overlap: 1} for column in sealed_columns}


def test_many_rows_go_in_batches(filled: Filled, overlap: str) -> None:
    for number in range(7):
        copy = OutboxRow(entry_id=uuid7(), key="copies", reaction=f"copy {number}")
        copy.payload = _sealed_with(overlap, place(copy.id))
        copy.save(force_insert=True)
    column = sealed_columns.get("outbox.requests")
    assert reseal(column, batch=3).moved == 8
    assert what_needs_the_old_key("ENCRYPTION_KEYS")["outbox.requests"] == 0


def _sealed_with(kid: str, place: str) -> bytes:
    with override_settings(ENCRYPTION_KEYS=[pair for pair in now.ENCRYPTION_KEYS if pair[0] == kid]):
        return seal(b"{}", place)


def test_what_nobody_can_read_is_named_and_keeps_no_key(filled: Filled, overlap: str, settings: Any) -> None:
    with bind(filled.tenant.ref):
        # The host was changed by hand, so the password is another server's.
        SmtpServer.objects.update(host="mail.elsewhere.com")
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("rotate_secrets", "--reseal", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert ended.value.code == 2
    assert (told["unreadable"], told["unreadableRows"]) == (
        1,
        [{"what": "notifications.smtp_passwords", "tenant": "acme", "row": "1"}],
    )
    assert under()["notifications.smtp_passwords"] == {overlap: 1}
    assert rotate("--finish", "ENCRYPTION_KEYS")["without"]


def test_a_column_that_holds_nothing_needs_no_key(filled: Filled, overlap: str) -> None:
    with bind(filled.tenant.ref):
        SmtpServer.objects.update(sealed_password=b"")
    moved = move_all()
    assert (moved.unreadable_count, moved.sealed["notifications.smtp_passwords"]) == (0, 0)


def test_a_value_under_a_key_that_is_gone_is_named_too(filled: Filled, settings: Any) -> None:
    settings.ENCRYPTION_KEYS = [NEXT]
    moved = move_all()
    assert moved.unreadable_count == len(list(sealed_columns))
    assert not any(moved.sealed.values())


@pytest.mark.commits
def test_what_is_changed_meanwhile_stays_changed(filled: Filled, overlap: str) -> None:
    changed, may_go = threading.Event(), threading.Event()

    def somebody() -> None:
        with threads_close_connections(), bind(filled.tenant.ref), transaction.atomic():
            server_set({"password": "a newer one"})
            changed.set()
            may_go.wait(10)

    def let_go_once_somebody_waits() -> None:
        with threads_close_connections():
            until_somebody_waits()
        may_go.set()

    threads = [threading.Thread(target=somebody), threading.Thread(target=let_go_once_somebody_waits)]
    threads[0].start()
    assert changed.wait(10)
    threads[1].start()
    move_all()
    for thread in threads:
        thread.join(10)
    with bind(filled.tenant.ref):
        row = server_row()
        assert row is not None
        assert server_of(row).password == "a newer one"


@pytest.mark.commits
@pytest.mark.timeout(600)
def test_killed_in_the_middle_and_run_again_it_finishes(filled: Filled, settings: Any, committed: str) -> None:
    old = settings.ENCRYPTION_KEYS[0]
    settings.ENCRYPTION_KEYS = [NEXT, old]
    work = f"""
    from django.conf import settings
    settings.ENCRYPTION_KEYS = {settings.ENCRYPTION_KEYS!r}
    from platform_site.rotation.moving import move_all
    move_all()
    """
    step = scaled(7, 2)
    statement, kills, seen = step, 0, set()
    while not finishes_before_kill(work, statement=statement, database=committed):
        kills += 1
        statement += step
        seen.add(sum(counted.get(NEXT[0], 0) for counted in under().values()))
        assert filled.is_readable()
        assert statement < 500
    assert kills > 2
    # It was killed after some were done and before others were.
    assert seen & set(range(1, len(list(sealed_columns))))
    assert under() == {column.key: {NEXT[0]: 1} for column in sealed_columns}
    settings.ENCRYPTION_KEYS = [NEXT]
    assert filled.is_readable()
