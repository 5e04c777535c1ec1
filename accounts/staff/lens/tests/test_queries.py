"""A page of the lens takes as many queries with ten thousand rows as with ten, and counts nothing."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import ApiKey, CustomProfile, LinkToken, Session, User
from accounts.staff.lens import exporting
from accounts.staff.lens.tests import world
from accounts.staff.lens.tests.world import keys_of, models, place_of, text_of
from accounts.staff.models import StaffUser
from accounts.staff.services import session_open
from accounts.staff.tests.support import routes_below, routes_of
from chat.models import Channel, Member
from events.models import Event
from notifications.models import Delivery, DeliveryEvent, Digest, Notification, SmtpServer, Suppression
from platform_site.binding import bind
from platform_site.ids import uuid7
from platform_site.journal.models import JournalEntry
from registry.models import Entity, HistoryEntry, Link, Merge
from setup_hub.models import TaskState
from tenancy.models import Tenant
from tenancy.org_settings.models import OrgSetting
from tests.support import scaled

# Of these a tenant has few by their nature.
FEW = {SmtpServer, CustomProfile, TaskState, OrgSetting}


def grow(tenant: Tenant, count: int) -> None:
    """``count`` more rows of everything that grows, around the person, channel and record that are there."""
    with bind(tenant.ref):
        person = User.objects.filter(first_name__startswith="Mark").earliest("id")
        _grow(tenant, person, count)


def _grow(tenant: Tenant, person: User, count: int) -> None:
    now, mark, numbers = timezone.now(), world.marker(tenant), range(count)
    made = world.add_people(tenant, count)
    owners = [person if number % 2 else made[number] for number in numbers]
    lives = {"last_used_at": now, "idle_expires_at": now, "absolute_expires_at": now}
    Session.objects.bulk_create(Session(user=owner, key_id="k", current_hash=b"x", **lives) for owner in owners)
    LinkToken.objects.bulk_create(
        LinkToken(kind="inv", user=owner, sender=person, key_id="k", secret_hash=b"x", expires_at=now)
        for owner in owners
    )
    ApiKey.objects.bulk_create(
        ApiKey(name=f"{mark}", key_id="k", secret_hash=b"x", created_by=owner) for owner in owners
    )
    told = Notification.objects.bulk_create(
        Notification(user=owner, event_key="sales.lead_assigned", title=mark, dedup_key=str(uuid7()))
        for owner in owners
    )
    Delivery.objects.bulk_create(Delivery(notification=one, channel="email", status="failed") for one in told)
    delivery = Delivery.objects.earliest("id")
    DeliveryEvent.objects.bulk_create(
        DeliveryEvent(delivery=delivery, kind="deferred", event_id=str(uuid7()), at=now) for _ in numbers
    )
    Digest.objects.bulk_create(
        Digest(user=owner, kind="held", status="sent", due_at=now + timedelta(seconds=number))
        for number, owner in enumerate(owners)
    )
    Suppression.objects.bulk_create(
        Suppression(address_hash=uuid7().bytes, email=f"{mark}@x.test", scope="all", reason="manual") for _ in numbers
    )
    channel = Channel.objects.earliest("id")
    Channel.objects.bulk_create(Channel(kind="group", name=mark, created_by=owner) for owner in owners)
    Member.objects.bulk_create(Member(user=one, channel=channel) for one in made)
    world.add_messages(channel, person, count)
    entity = Entity.objects.filter(status="active").earliest("id")
    others = Entity.objects.bulk_create(
        Entity(entity_class="person", name=mark, name_key=mark, search_text=mark, status="merged", merged_into=entity)
        for _ in numbers
    )
    Link.objects.bulk_create(
        Link(
            entity=entity, origin_id=entity.id, app="crm", entity_type="lead", entity_id_in_app=str(uuid7()),
            snapshot_at=now, method="auto",
        )
        for _ in numbers
    )  # fmt: skip
    HistoryEntry.objects.bulk_create(HistoryEntry(entity=entity, op="linked", actor_id=person.uuid) for _ in numbers)
    Merge.objects.bulk_create(Merge(winner=entity, loser=other, actor_id=person.uuid) for other in others)
    world.add_events(entity.id, mark, count)
    Event.objects.filter(actor_id=None).update(actor_id=person.uuid)
    JournalEntry.objects.bulk_create(
        JournalEntry(key="accounts.user_updated", actor_id=owner.uuid, subject_type="user", subject_id=str(person.uuid))
        for owner in owners
    )
    world.add_dead_letters(tenant, count)


def pages(tenant: Tenant, model: type[Model]) -> Iterator[str]:
    """Of each kind one, for the oldest row, around which everything else was put. An export is as long as its list."""
    for kind, address in world.addresses(tenant, model, -1):
        if kind not in ("csv", "json"):
            yield address


def asked(browser: Client, address: str, statuses: tuple[int, ...] = (200,)) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        answer = browser.get(address)
        assert answer.status_code in statuses, address
        text_of(answer)
    return [one["sql"] for one in queries]


def counted(browser: Client, support: Client, tenant: Tenant) -> dict[str, int]:
    """By page; what has to do with working, as somebody sees it who is in a session."""
    seen = [*(address for model in models() for address in pages(tenant, model)), *world.site_addresses(tenant)]
    worked = [address for model in models() for address in world.dialogs(tenant, model)]
    details = [address for address in seen if address.endswith("/change/")]
    # The way out of the tenant, in which the keys were read, is paid by whoever comes next.
    asked(browser, seen[0])
    return {address: len(asked(browser, address)) for address in seen} | {
        f"{address} in a session": len(asked(support, address, (200, 302))) for address in [*worked, *details]
    }


# What is refused to everybody, what leads to the public admin, and exports.
NO_PAGES = {
    *(f"admin:{name}" for name in ("login", "logout", "password_change", "password_change_done", "autocomplete")),
    "admin:view_on_site",
    *(
        f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
        for model in models()
        for page in ("add", "delete", "csv", "json")
    ),
}


def test_no_page_of_the_lens_is_missing(furnished: Tenant) -> None:
    urls = "accounts.staff.lens.urls"
    paths = [address for model in models() for address in [*pages(furnished, model), *world.dialogs(furnished, model)]]
    inside = [path.removeprefix("/admin/t/acme") for path in [*paths, *world.site_addresses(furnished)]]
    # The action of a list is a POST to the list.
    assert routes_below("", urls) == routes_of(inside, urls) | NO_PAGES


@pytest.mark.timeout(600)
def test_as_many_queries_with_ten_rows_as_with_very_many(
    browser: Client, support: Client, helper: StaffUser, furnished: Tenant
) -> None:
    session_open(staff=helper, tenant_id=furnished.id, reason="Ticket 7")
    grow(furnished, 10)
    counted(browser, support, furnished)
    few = counted(browser, support, furnished)
    for model in models():
        if model not in FEW:
            assert len(keys_of(furnished, model)) >= 10, model
    # Both are many pages and many times a panel; inserting the larger number takes minutes.
    more = scaled(120, 10_000)
    grow(furnished, more)
    many = counted(browser, support, furnished)
    for model in models():
        if model not in FEW:
            assert len(keys_of(furnished, model)) >= more, model
    for model in models():
        place = place_of(model, "acme")
        # There was no second page before.
        few[f"{place}?p=2"] = few[place] if model not in FEW else few[f"{place}?p=2"]
    assert many == few
    assert max(many.values()) <= 25, many


def test_no_page_counts(browser: Client, furnished: Tenant) -> None:
    grow(furnished, 60)
    for model in models():
        for address in pages(furnished, model):
            if "history" in address:
                continue
            statements = [sql for sql in asked(browser, address) if "COUNT(" in sql.upper()]
            assert statements == [], address


def test_what_is_beyond_a_page_is_on_the_next(browser: Client, furnished: Tenant) -> None:
    with bind(furnished.ref):
        world.add_people(furnished, 120 - User.objects.count())
    place = place_of(User, "acme")
    pages_ = [browser.get(f"{place}?p={number}").content.decode() for number in (1, 2, 3)]
    assert [page.count("/change/") >= least for page, least in zip(pages_, (50, 50, 20), strict=True)] == [True] * 3
    assert ['rel="next"' in page for page in pages_] == [True, True, False]
    assert ['rel="prev"' in page for page in pages_] == [False, True, True]
    assert "101 to 120 of 120" in pages_[2]
    assert browser.get(f"{place}?p=0").status_code == 302
    assert browser.get(f"{place}?p=201").status_code == 302


def test_an_export_has_all_pages_in_as_many_steps_as_it_takes(
    browser: Client, furnished: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "BATCH", 7)
    with bind(furnished.ref):
        world.add_people(furnished, 40)
        emails = set(User.objects.values_list("email", flat=True))
    text = text_of(browser.get(f"{place_of(User, 'acme')}export.csv"))
    lines = text.strip().splitlines()
    assert len(lines) == len(emails) + 1
    assert all(email in text for email in emails)


def test_the_order_is_the_indexs_whatever_the_address_says(browser: Client, furnished: Tenant) -> None:
    for order in ("1", "-2.3"):
        (statement,) = [
            sql for sql in asked(browser, f"{place_of(User, 'acme')}?o={order}") if 'FROM "accounts_user"' in sql
        ]
        assert 'ORDER BY "accounts_user"."id" DESC' in statement, statement
