"""What nobody can use any more goes after a while, in every tenant."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import LinkToken, Session
from accounts.tasks import purge, purge_journal, purge_journals
from platform_site.binding import bind
from platform_site.idempotency.models import IdempotencyRecord
from platform_site.journal.models import JournalEntry
from platform_site.outbox.models import OutboxRow
from tenancy.models import Tenant
from tests.support import Api

# Journals are purged by the owner alone, and a test in one transaction cannot change its role in between.
pytestmark = pytest.mark.as_owner


def test_old_sessions_links_and_keys_go_and_young_ones_stay(alice: Api, mallory: Api) -> None:
    long_ago = timezone.now() - timedelta(days=40)
    for person in (alice, mallory):
        with bind(person.tenant.ref):
            IdempotencyRecord.objects.create(
                key_hash=b"old", body_hash=b"", status=201, answer=b"", created_at=timezone.now() - timedelta(hours=25)
            )
            IdempotencyRecord.objects.create(key_hash=b"new", body_hash=b"", status=201, answer=b"")
    with bind(mallory.tenant.ref):
        Session.objects.update(absolute_expires_at=long_ago)
        LinkToken.objects.update(expires_at=long_ago)
    purge()
    with bind(alice.tenant.ref):
        assert (Session.objects.count(), IdempotencyRecord.objects.count()) == (1, 1)
        assert LinkToken.objects.count() == 1
    with bind(mallory.tenant.ref):
        assert (Session.objects.count(), IdempotencyRecord.objects.count()) == (0, 1)
        assert LinkToken.objects.count() == 0
    assert mallory.get("/auth/me").status_code == 401


def entries_of(client: Api) -> list[str]:
    with bind(client.tenant.ref):
        return sorted(JournalEntry.objects.filter(subject_type="test").values_list("subject_id", flat=True))


def journal_of(client: Api, **ages: int) -> None:
    """Entries called so, of so many days ago."""
    with bind(client.tenant.ref):
        for name, days in ages.items():
            JournalEntry.objects.create(
                key="test.old", subject_type="test", subject_id=name, at=timezone.now() - timedelta(days=days)
            )


def keep_days(client: Api, days: int) -> None:
    assert client.call("PUT", "/org-settings/retention.audit_days", {"value": days}).status_code == 200


@pytest.mark.commits
def test_journal_entries_go_when_the_tenant_keeps_them_no_longer(alice: Api, mallory: Api) -> None:
    for person in (alice, mallory):
        journal_of(person, young=29, month=31, year=364, older=366)
    purge_journals()
    assert entries_of(alice) == entries_of(mallory) == ["month", "year", "young"]
    keep_days(alice, 30)
    purge_journals()
    assert entries_of(alice) == ["young"]
    assert entries_of(mallory) == ["month", "year", "young"]


@pytest.mark.commits
def test_an_entry_that_a_reaction_waits_for_stays(alice: Api, mallory: Api) -> None:
    journal_of(alice, first=900, waited_for=800, dead=700, other_tenants=600, last=500)
    with bind(alice.tenant.ref):
        ids = dict(JournalEntry.objects.filter(subject_type="test").values_list("subject_id", "id"))
    alices, mallorys = alice.tenant.id, mallory.tenant.id
    OutboxRow.objects.create(tenant_id=alices, entry_id=ids["waited_for"], key="test.old", reaction="test.a")
    OutboxRow.objects.create(tenant_id=alices, entry_id=ids["waited_for"], key="test.old", reaction="test.b")
    OutboxRow.objects.create(tenant_id=alices, entry_id=ids["dead"], key="test.old", reaction="test.a", state="dead")
    OutboxRow.objects.create(tenant_id=mallorys, entry_id=ids["other_tenants"], key="test.old", reaction="test.a")
    purge_journals()
    assert entries_of(alice) == ["dead", "waited_for"]
    OutboxRow.objects.filter(tenant_id=alices, entry_id__in=ids.values()).delete()
    purge_journals()
    assert entries_of(alice) == []


def test_the_journal_goes_batch_by_batch_past_what_has_to_stay(in_tenant: Tenant) -> None:
    long_ago = timezone.now() - timedelta(days=900)
    # Several of one moment, so that a batch ends between them.
    entries = [
        JournalEntry(key="test.old", subject_type="test", at=long_ago + timedelta(seconds=number // 4))
        for number in range(30)
    ]
    JournalEntry.objects.bulk_create(entries)
    stay = [entry.id for entry in entries[:14]]
    OutboxRow.objects.bulk_create(
        OutboxRow(tenant_id=in_tenant.id, entry_id=entry_id, key="test.old", reaction="test.a") for entry_id in stay
    )
    assert purge_journal(before=timezone.now() - timedelta(days=800), batch=3) == 16
    left = JournalEntry.objects.filter(subject_type="test").values_list("id", flat=True)
    assert set(left) == set(stay)
    assert purge_journal(before=timezone.now() - timedelta(days=800), batch=3) == 0


def test_a_batch_walks_the_index_of_the_purge(in_tenant: Tenant) -> None:
    long_ago = timezone.now() - timedelta(days=900)
    JournalEntry.objects.bulk_create(
        JournalEntry(key="test.old", at=long_ago + timedelta(minutes=number)) for number in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE journal_journalentry")
    with CaptureQueriesContext(connection) as queries:
        assert purge_journal(before=long_ago + timedelta(days=1), batch=100) == 1440
    reads = [query["sql"] for query in queries if "ORDER BY" in query["sql"]]
    assert len(reads) == 16
    with connection.cursor() as cursor:
        for read in (reads[0], reads[7]):
            cursor.execute(f"EXPLAIN {read}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert "journal_purge" in plan
            assert "Seq Scan" not in plan


@pytest.mark.commits
def test_the_worker_purges_journals_as_the_owner_or_not_at_all(alice: Api, settings: Any) -> None:
    journal_of(alice, older=366)
    owner = connection.settings_dict
    connection.close()
    connection.settings_dict = {**owner, **{name: settings.DATABASES["default"][name] for name in ("USER", "PASSWORD")}}
    try:
        given, settings.DATABASE_OWNER = settings.DATABASE_OWNER, {}
        purge_journals()
        assert entries_of(alice) == ["older"]
        settings.DATABASE_OWNER = given
        purge_journals()
        assert entries_of(alice) == []
    finally:
        connection.close()
        connection.settings_dict = owner
