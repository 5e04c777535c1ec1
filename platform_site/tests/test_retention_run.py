"""``retention_run``: what is too old goes, in every tenant by its own settings, and in public."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from accounts.models import Session
from accounts.staff.models import StaffAct
from chat.models import Channel, Message
from events.models import Event
from notifications.models import Notification
from platform_site import owner
from platform_site.binding import bind
from platform_site.ids import uuid7_floor
from platform_site.journal.models import JournalEntry
from platform_site.retention import Retention, retentions
from tenancy.models import FormerSlug, Tenant
from tests.rows import row_counts
from tests.support import Api

pytestmark = [pytest.mark.commits, pytest.mark.timeout(120)]
NOW = timezone.now()
LONG_AGO = NOW - timedelta(days=900)


@pytest.fixture
def old_things(alice: Api, mallory: Api) -> None:
    """One old and one young row of each kind in both tenants; alice's company keeps messages and events shorter."""
    for number, person in enumerate((alice, mallory)):
        if number == 0:
            for key in ("chat.retention_days", "events.retention_days"):
                assert person.call("PUT", f"/org-settings/{key}", {"value": 30}).status_code == 200
        with bind(person.tenant.ref):
            channel = Channel.objects.create(kind="group", name="x", created_by_id=1, last_seq=2)
            for seq, at in ((1, LONG_AGO), (2, NOW)):
                message = Message.objects.create(channel=channel, seq=seq, sender_id=1, content="x")
                Message.objects.filter(pk=message.pk).update(created_at=at)
                Event.objects.create(canonical_id=uuid4(), app="a", category="c", action="x", occurred_at=at)
                Notification.objects.create(id=uuid7_floor(at), user_id=1, event_key="k", title="t", dedup_key=str(seq))
                JournalEntry.objects.create(key="test.old", at=at)
            old = Session.objects.get()
            Session.objects.create(
                user_id=1,
                current_hash=b"x",
                key_id="k",
                last_used_at=LONG_AGO,
                idle_expires_at=LONG_AGO,
                absolute_expires_at=LONG_AGO,
            )
            assert old.absolute_expires_at > NOW
    for at in (LONG_AGO, NOW):
        act = StaffAct.objects.create(staff_id=1, staff_email="s@platform.test", action="x")
        with owner.as_owner():
            StaffAct.objects.filter(pk=act.pk).update(at=at)
    FormerSlug.objects.create(slug="old", tenant_id=uuid4(), freed_at=LONG_AGO, until=LONG_AGO)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    code = 0
    try:
        call_command("retention_run", "--json", *arguments)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, json.loads(capsys.readouterr().out)


EXPECTED = {
    "chat.messages": 1,
    "events": 1,
    "notifications": 2,
    "journal": 2,
    "accounts.sessions": 2,
    "staff.acts": 1,
    "tenancy.former_slugs": 1,
}


def test_a_rehearsal_counts_what_a_run_removes(old_things: None, capsys: pytest.CaptureFixture[str]) -> None:
    before = row_counts()
    code, told = run(capsys, "--dry-run")
    assert (code, told["tenants"], told["failed"], told["left"]) == (0, 2, [], [])
    assert {key: count for key, count in told["rows"].items() if count} == EXPECTED
    assert row_counts() == before
    code, done = run(capsys)
    assert (code, done["rows"], done["dryRun"]) == (0, told["rows"], False)
    assert run(capsys)[1]["rows"] == dict.fromkeys(told["rows"], 0)


def test_in_one_tenant_alone(old_things: None, capsys: pytest.CaptureFixture[str], tenant: Tenant) -> None:
    code, done = run(capsys, "--tenant", "globex")
    assert (code, done["tenants"]) == (0, 1)
    assert {key: count for key, count in done["rows"].items() if count} == {
        "notifications": 1,
        "journal": 1,
        "accounts.sessions": 1,
    }
    with bind(tenant.ref):
        assert JournalEntry.objects.filter(key="test.old").count() == 2
    assert (StaffAct.objects.count(), FormerSlug.objects.count()) == (2, 1)


def test_the_platform_may_keep_journals_shorter_than_tenants_chose(
    alice: Api, capsys: pytest.CaptureFixture[str], settings: Any
) -> None:
    with bind(alice.tenant.ref):
        JournalEntry.objects.create(key="test.old", at=NOW - timedelta(days=100))
    assert run(capsys)[1]["rows"]["journal"] == 0
    settings.JOURNAL_RETENTION_DAYS = 90
    assert run(capsys)[1]["rows"]["journal"] == 1


def test_what_is_about_to_be_deleted_stays_whole(
    old_things: None, capsys: pytest.CaptureFixture[str], tenant: Tenant
) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(status="pending_deletion")
    assert run(capsys)[1]["tenants"] == 1
    with bind(tenant.ref):
        assert JournalEntry.objects.filter(key="test.old").count() == 2


def test_what_only_the_owner_may_delete_is_left_and_told(
    old_things: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform_site.management.commands.retention_run.may_be_owner", lambda: False)
    code, done = run(capsys)
    assert (code, sorted(done["left"])) == (1, ["journal", "staff.acts"])
    assert (done["rows"]["journal"], done["rows"]["chat.messages"], StaffAct.objects.count()) == (0, 1, 2)


def test_journals_and_acts_are_purged_as_the_owner_and_the_rest_is_not(
    old_things: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from contextlib import contextmanager

    who: dict[str, bool] = {}
    inside = False

    @contextmanager
    def watched() -> Any:
        nonlocal inside
        inside = True
        with owner.as_owner():
            yield
        inside = False

    def watching(policy: Retention) -> Retention:
        def purge(now: Any) -> int:
            who[policy.key] = inside
            return policy.purge(now)

        return Retention(policy.key, policy.count, purge, policy.where, policy.by_owner)

    command = "platform_site.management.commands.retention_run"
    monkeypatch.setattr(f"{command}.as_owner", watched)
    monkeypatch.setattr(f"{command}.retentions", [watching(one) for one in retentions])
    run(capsys)
    assert {key for key, as_owner in who.items() if as_owner} == {"journal", "staff.acts"}
    assert len(who) == len(retentions)


def test_one_tenants_trouble_is_its_own(old_things: None, capsys: pytest.CaptureFixture[str], tenant: Tenant) -> None:
    with owner.as_owner(), bind(tenant.ref), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE chat_message RENAME TO chat_gone")
    code, done = run(capsys)
    assert code == 1
    assert [(one["slug"], one["policy"]) for one in done["failed"]] == [("acme", "chat.messages")]
    assert (done["rows"]["events"], done["rows"]["journal"]) == (1, 2)


def test_the_command_and_its_exit_codes(manage: Any, old_things: None) -> None:
    done = manage("retention_run", "--dry-run")
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == f"{sum(EXPECTED.values())} rows would be removed in 2 tenants."
    assert manage("retention_run", "--tenant", "nobody").returncode == 2
