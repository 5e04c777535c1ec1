"""The directory of people, and the mail with one's workspaces."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts import catalog
from accounts.directory.models import DirectoryEntry
from accounts.directory.selectors import people_of_address, tenants_of_address
from accounts.directory.services import directory_sync
from accounts.models import Avatar, User
from accounts.services.avatars import avatar_store
from accounts.services.people import user_create
from platform_site.binding import bind, bound_tenant
from platform_site.journal.keys import JournalKey
from platform_site.journal.services import record
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from setup_hub.services.checking import LOOK
from tenancy.models import Tenant
from tenancy.services import tenant_suspend
from tests.support import Api

BOB = "user@acme.test"
PATH = "/auth/workspaces/forgot"


def happen(tenant: Tenant, user: User, key: JournalKey, **values: Any) -> None:
    """The fact as a service leaves it behind, and then the reactions to it."""
    with bind(tenant.ref), transaction.atomic():
        User.objects.filter(pk=user.pk).update(**values)
        record(key, subject=("user", user.uuid))
    dispatcher.drain()


def state(email: str = BOB) -> list[str]:
    return [person.status for person in people_of_address(email)]


@pytest.fixture
def nobody(tenant: Tenant) -> None:
    """Nothing in the directory, and nothing waiting."""
    OutboxRow.objects.all().delete()
    DirectoryEntry.objects.all().delete()


@pytest.fixture
def person(tenant: Tenant, nobody: None) -> User:
    with bind(tenant.ref):
        return User.objects.get(email_key=BOB)


def test_it_follows_a_person_through_a_life(tenant: Tenant, person: User) -> None:
    happen(tenant, person, catalog.USER_INVITED, status="pending")
    assert state() == ["pending"]
    happen(tenant, person, catalog.INVITATION_ACCEPTED, status="active")
    assert state() == ["active"]
    happen(tenant, person, catalog.USER_UPDATED, email="Robert@ACME.test", email_key="robert@acme.test")
    assert (state(), state(" ROBERT@acme.test")) == ([], ["active"])
    happen(tenant, person, catalog.USER_DEACTIVATED, status="inactive")
    assert state("robert@acme.test") == ["inactive"]
    happen(tenant, person, catalog.USER_ACTIVATED, status="active")
    assert state("robert@acme.test") == ["active"]
    happen(tenant, person, catalog.USER_ERASED, status="erased", email="", email_key=f"erased:{person.uuid}")
    assert not DirectoryEntry.objects.exists()


def test_the_first_administrator_is_listed(tenant: Tenant, other_tenant: Tenant) -> None:
    dispatcher.drain()
    assert tenants_of_address("admin@acme.test") == [tenant.id]
    assert tenants_of_address("admin@globex.test") == [other_tenant.id]


def test_repeats_and_a_wrong_order_do_no_harm(tenant: Tenant, person: User) -> None:
    keys = [catalog.USER_INVITED, catalog.USER_UPDATED, catalog.USER_ERASED, catalog.USER_ACTIVATED]
    with bind(tenant.ref), transaction.atomic():
        User.objects.filter(pk=person.pk).update(status="erased")
        for key in [*reversed(keys), *keys]:
            record(key, subject=("user", person.uuid))
    dispatcher.drain()
    assert not DirectoryEntry.objects.exists()


def test_somebody_who_is_gone_altogether_has_no_row(tenant: Tenant, person: User) -> None:
    gone = uuid4()
    with bind(tenant.ref):
        directory_sync(user_uuid=person.uuid)
        DirectoryEntry.objects.update(user_uuid=gone)
        directory_sync(user_uuid=gone)
    assert not DirectoryEntry.objects.exists()


def test_one_tenant_does_not_remove_from_another(tenant: Tenant, other_tenant: Tenant, person: User) -> None:
    with bind(tenant.ref):
        directory_sync(user_uuid=person.uuid)
    with bind(other_tenant.ref):
        directory_sync(user_uuid=person.uuid)
    assert tenants_of_address(BOB) == [tenant.id]


def test_an_erased_person_leaves_nothing_behind(tenant: Tenant, person: User) -> None:
    happen(tenant, person, catalog.USER_ACTIVATED)
    assert DirectoryEntry.objects.filter(user_uuid=person.uuid).exists()
    with bind(tenant.ref):
        avatar_store(user=person, image=b"RIFF")
    happen(tenant, person, catalog.USER_ERASED, status="erased")
    assert not DirectoryEntry.objects.filter(user_uuid=person.uuid).exists()
    # That the set-up is looked at by night has nothing to do with anybody.
    assert not OutboxRow.objects.exclude(reaction=LOOK).exists()
    with bind(tenant.ref):
        assert not Avatar.objects.exists()


def test_the_same_address_in_two_tenants(tenant: Tenant, other_tenant: Tenant, nobody: None) -> None:
    with bind(other_tenant.ref):
        user_create(email="User@acme.test")
    call_command("directory_rebuild", verbosity=0)
    assert set(tenants_of_address(BOB)) == {tenant.id, other_tenant.id}


def test_a_rebuild_writes_everybody_and_removes_nobodies(tenant: Tenant, nobody: None, capsys: Any) -> None:
    DirectoryEntry.objects.create(
        user_uuid=uuid4(), tenant_id=tenant.id, email_hash=b"x" * 32, key_id="k", status="active"
    )
    DirectoryEntry.objects.create(
        user_uuid=uuid4(), tenant_id=uuid4(), email_hash=b"x" * 32, key_id="k", status="active"
    )
    with bind(tenant.ref):
        User.objects.filter(email_key="admin@acme.test").update(status="erased")
    call_command("directory_rebuild")
    assert capsys.readouterr().out == "2 tenants, 3 people written, 2 rows removed.\n"
    assert DirectoryEntry.objects.count() == 3
    assert state() == ["active"]
    assert bound_tenant() is None


def test_a_rehearsal_says_what_a_rebuild_would_do(tenant: Tenant, nobody: None, capsys: Any) -> None:
    nobodys = DirectoryEntry.objects.create(
        user_uuid=uuid4(), tenant_id=uuid4(), email_hash=b"x" * 32, key_id="k", status="active"
    )
    call_command("directory_rebuild", "--dry-run", "--json")
    told = json.loads(capsys.readouterr().out)
    assert told == {"tenants": 2, "written": 4, "removed": 1, "dryRun": True}
    assert DirectoryEntry.objects.get() == nobodys


def test_a_suspended_tenant_is_rebuilt_too(tenant: Tenant, nobody: None, capsys: Any) -> None:
    tenant_suspend(tenant_id=tenant.id, reason="test", actor="test")
    call_command("directory_rebuild")
    assert capsys.readouterr().out == "2 tenants, 4 people written, 0 rows removed.\n"


def test_a_rebuild_goes_through_many_pages(tenant: Tenant, nobody: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.directory.services.BATCH", 3)
    with bind(tenant.ref):
        for number in range(10):
            user_create(email=f"p{number}@acme.test")
    call_command("directory_rebuild", verbosity=0)
    assert all(tenants_of_address(f"p{number}@acme.test") == [tenant.id] for number in range(10))


def test_an_old_key_finds_until_it_is_dropped_and_a_rebuild_hashes_anew(nobody: None, settings: Any) -> None:
    call_command("directory_rebuild", verbosity=0)
    old = settings.TOKEN_KEYS
    settings.TOKEN_KEYS = [("new", "n" * 43), *old]
    assert state() == ["active"]
    call_command("directory_rebuild", verbosity=0)
    assert set(DirectoryEntry.objects.values_list("key_id", flat=True)) == {"new"}
    settings.TOKEN_KEYS = [("new", "n" * 43)]
    assert state() == ["active"]
    settings.TOKEN_KEYS = old
    assert state() == []


def test_a_lookup_is_one_query(nobody: None) -> None:
    with CaptureQueriesContext(connection) as queries:
        people_of_address(BOB)
    assert len(queries) == 1


def test_no_address_lies_in_the_public_schema(api: Api, tenant: Tenant) -> None:
    """Neither in the directory nor in the outbox, while people are in it and requests wait."""
    call_command("directory_rebuild", verbosity=0)
    api.post(PATH, {"email": BOB})
    assert OutboxRow.objects.exists()
    assert DirectoryEntry.objects.exists()
    with connection.cursor() as cursor:
        for table in ("directory_directoryentry", "outbox_outboxrow"):
            cursor.execute(f"SELECT coalesce(string_agg(row_to_json(t)::text, E'\\n'), '') FROM public.{table} AS t")
            dump = cursor.fetchone()[0]
            assert dump
            for word in ("@", "acme.test", "globex.test", "Alice", "Bob", BOB.encode().hex(), b"user".hex()):
                assert word not in dump, (table, word)


# The mail.


@pytest.fixture
def listed(tenant: Tenant) -> None:
    call_command("directory_rebuild", verbosity=0)
    OutboxRow.objects.all().delete()
    mail.outbox.clear()


def asked(api: Api, email: str) -> list[Any]:
    response = api.post(PATH, {"email": email})
    assert (response.status_code, response.json()["data"]) == (202, {"accepted": True})
    dispatcher.drain()
    return list(mail.outbox)


def test_the_workspaces_come_by_mail(api: Api, listed: None, other_tenant: Tenant, settings: Any) -> None:
    settings.FRONTEND_URL = "https://app.example.test"
    with bind(other_tenant.ref):
        user_create(email="User@Acme.test")
    call_command("directory_rebuild", verbosity=0)
    (sent,) = asked(api, " USER@acme.TEST ")
    assert sent.to == [BOB]
    assert sent.subject == "Your workspaces"
    html = sent.alternatives[0][0]
    for text in (sent.body, html):
        for name, slug in (("Acme Corp", "acme"), ("Globex Corp", "globex")):
            assert name in text
            assert f"https://app.example.test/sign-in?workspace={slug}" in text
    assert sent.body.index("Acme") < sent.body.index("Globex")


def test_there_is_no_mail_when_there_is_nothing_to_tell(api: Api, listed: None) -> None:
    assert asked(api, "nobody@acme.test") == []
    assert not OutboxRow.objects.exists()


@pytest.mark.parametrize("status", ["pending", "inactive", "erased"])
def test_only_active_people_count_whatever_the_directory_says(
    api: Api, tenant: Tenant, listed: None, status: str
) -> None:
    with bind(tenant.ref):
        User.objects.filter(email_key=BOB).update(status=status)
    assert state() == ["active"]
    assert asked(api, BOB) == []


def test_a_row_that_points_into_the_wrong_tenant_tells_nothing(api: Api, other_tenant: Tenant, listed: None) -> None:
    DirectoryEntry.objects.update(tenant_id=other_tenant.id)
    assert asked(api, BOB) == []


def test_a_suspended_workspace_is_not_named(api: Api, tenant: Tenant, listed: None) -> None:
    tenant_suspend(tenant_id=tenant.id, reason="test", actor="test")
    assert asked(api, BOB) == []


def test_a_repeat_is_the_same_mail(api: Api, listed: None) -> None:
    api.post(PATH, {"email": BOB})
    row = OutboxRow.objects.get()
    dispatcher.drain()
    OutboxRow.objects.bulk_create([row])
    dispatcher.drain()
    first, second = (message.extra_headers["Message-ID"] for message in mail.outbox)
    assert first == second
    assert first.startswith(f"<{row.id.hex}.workspaces@")


def test_names_cannot_write_into_the_mail(api: Api, tenant: Tenant, listed: None) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(name='<img src="x"> & Sons')
    (sent,) = asked(api, BOB)
    assert '<img src="x">' not in sent.alternatives[0][0]
    assert '<img src="x"> & Sons' in sent.body


def test_asking_costs_the_same_for_everybody(api: Api, listed: None) -> None:
    counts = []
    for email in (BOB, "nobody@nowhere.test"):
        with CaptureQueriesContext(connection) as queries:
            api.post(PATH, {"email": email})
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_an_address_is_limited_whoever_asks(anonymous: Any, listed: None) -> None:
    for email in (BOB, "nobody@acme.test"):
        answers = [anonymous().post(PATH, {"email": spelt}).status_code for spelt in [email] * 3 + [email.upper()]]
        assert answers == [202, 202, 202, 429]


def test_an_origin_is_limited(api: Api) -> None:
    answers = [api.post(PATH, {"email": f"p{number}@x.test"}).status_code for number in range(21)]
    assert answers == [202] * 20 + [429]


@pytest.mark.parametrize("body", [{}, {"email": 5}, {"email": ""}, {"email": "x" * 255}, {"email": "a@b", "slug": "x"}])
def test_a_body_that_says_something_else(api: Api, body: dict[str, Any]) -> None:
    response = api.post(PATH, body)
    assert (response.status_code, response.json()["error"]["code"]) == (400, "validation_failed")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_not_allowed(api: Api, method: str) -> None:
    assert api.call(method, PATH).status_code == 405
