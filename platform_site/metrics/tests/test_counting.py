"""What is counted, under which labels, and what never becomes a label."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from prometheus_client import CollectorRegistry

from billing.services.events import event_receive
from billing.stripe_api import key_is_live
from events.tests.support import UNKNOWN, entity, event
from platform_site.binding import bind
from platform_site.mail_connections import send_through
from platform_site.metrics import instruments
from platform_site.metrics.instruments import MOST_SERIES, Counter
from platform_site.metrics.measures import route_template
from platform_site.metrics.tests.conftest import Counted
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from tests.support import COMPANY, PASSWORD, Api, data


def test_a_request_counts_under_the_template_of_its_path(alice: Api, bob: Api, counted: Counted) -> None:
    data(alice.get(f"/users/{bob.user.uuid}"))
    data(alice.get(f"/users/{alice.user.uuid}"))
    assert alice.get(f"/users/{uuid4()}").status_code == 404
    route = {"method": "GET", "route": "/api/v1/users/{ref}"}
    assert counted("core_http_requests_total", status="200", **route) == 2
    assert counted("core_http_requests_total", status="404", **route) == 1
    assert counted("core_http_request_seconds_count", **route) == 3
    assert counted("core_refusals_total", code="not_found") == 1


def test_paths_that_nobody_knows_are_one_series(api: Api, counted: Counted, registry: CollectorRegistry) -> None:
    for path in ("/nothing", "/nothing-else", f"/{uuid4()}"):
        assert api.get(path).status_code == 404
    api.client.generic("BREW", "/api/v1/nothing")
    routes = {labels["route"] for labels in series(registry, "core_http_requests_total")}
    assert len(routes) == 1
    assert {labels["method"] for labels in series(registry, "core_http_requests_total")} == {"GET", "other"}


@pytest.mark.parametrize(
    ("route", "shown"),
    [
        ("api/v1/users/<ref:user>", "/api/v1/users/{user}"),
        ("avatars/<str:token>.webp", "/avatars/{token}.webp"),
        (r"^admin/(?P<url>.*)$", "/admin/{url}"),
        ("", "/"),
    ],
)
def test_how_a_route_is_written(route: str, shown: str) -> None:
    assert route_template(route) == shown


def test_statements_are_timed_and_their_failures_named(api: Api, counted: Counted) -> None:
    with connection.cursor() as cursor:
        # The first statement brings one along that sets the path.
        cursor.execute("SELECT 1")
        before = counted("core_db_query_seconds_count")
        cursor.execute("SELECT 1")
    assert counted("core_db_query_seconds_count") == before + 1
    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT nothing_of_this_name")
    assert counted("core_db_failures_total", error="ProgrammingError") == 1


def test_a_refused_sign_in_and_a_reached_limit_count(api: Api, counted: Counted) -> None:
    sent = {"email": f"admin@{COMPANY}.test", "password": "not the right one", "tenantSlug": COMPANY}
    for _ in range(11):
        api.post("/auth/login", sent)
    assert counted("core_refusals_total", code="invalid_credentials") == 10
    assert counted("core_refusals_total", code="too_many_attempts") == 1
    assert sum(value for _, value in values(api, counted)) == 1


def values(api: Api, counted: Counted) -> list[tuple[str, float]]:
    from django.conf import settings

    return [(name, counted("core_rate_limited_total", limit=name)) for name in settings.RATE_LIMITS]


@pytest.mark.commits
def test_a_fact_counts_when_it_is_committed_and_not_before(tenant: Any, api: Api, counted: Counted) -> None:
    sent = {
        "companyName": "Initech",
        "slug": "initech",
        "adminEmail": "admin@initech.test",
        "adminPassword": PASSWORD,
    }
    data(api.post("/tenants/register", sent), 201)
    assert counted("core_facts_total", key="tenancy.tenant_registered") == 1
    from accounts.catalog import USER_INVITED
    from platform_site.journal.services import record

    with bind(tenant.ref), transaction.atomic():
        record(USER_INVITED, data={})
        transaction.set_rollback(True)
    assert counted("core_facts_total", key=USER_INVITED.key) == 0


@pytest.mark.commits
def test_work_of_the_outbox_counts_by_its_outcome(tenant: Any, alice: Api, counted: Counted, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    data(alice.post("/users", {"email": "jane@acme.test", "firstName": "Jane", "role": "user"}), 201)
    dispatcher.drain()
    assert counted("core_mails_total", mailer="platform", outcome="sent") == 1
    done = "accounts.reactions.people.mail_invitation"
    assert counted("core_outbox_runs_total", reaction=done, outcome="done") == 1, done

    settings.EMAIL_BACKEND = "platform_site.metrics.tests.test_counting.Broken"
    data(alice.post("/users", {"email": "joe@acme.test", "firstName": "Joe", "role": "user"}), 201)
    dispatcher.drain()
    assert counted("core_mails_total", mailer="platform", outcome="failed") == 1
    assert counted("core_outbox_runs_total", reaction=done, outcome="retry") == 1
    OutboxRow.objects.filter(reaction=done).update(attempts=9, available_at="2020-01-01T00:00Z")
    dispatcher.drain()
    assert counted("core_outbox_runs_total", reaction=done, outcome="dead") == 1


class Broken:
    def __init__(self, **_: Any) -> None:
        pass

    def open(self) -> None:
        raise ConnectionRefusedError

    def close(self) -> None:
        pass


def test_a_tenants_own_mail_server_is_no_label(counted: Counted, registry: CollectorRegistry) -> None:
    message = mail.EmailMessage("s", "b", "a@example.test", ["b@example.test"])
    send_through(
        "server-of-somebody", lambda: mail.get_connection("django.core.mail.backends.locmem.EmailBackend"), message
    )
    assert counted("core_mails_total", mailer="tenant", outcome="sent") == 1


def test_no_label_names_a_tenant_or_a_person(
    alice: Api, bob: Api, api: Api, registry: CollectorRegistry, counted: Counted
) -> None:
    data(alice.get("/users"))
    data(alice.get(f"/users/{bob.user.uuid}"))
    data(bob.get("/auth/me"))
    api.post("/auth/login", {"email": "who@acme.test", "password": "x", "tenantSlug": COMPANY})
    text = " ".join(value for family in registry.collect() for one in family.samples for value in one.labels.values())
    assert "/api/v1/users" in text
    for secret in (COMPANY, str(alice.tenant.id), alice.tenant.schema_name, str(bob.user.uuid), "@", "127.0.0.1"):
        assert secret not in text
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", text)


@pytest.fixture
def careless() -> Any:
    counter = Counter("core_careless_total", "Somebody put a path into a label", ("path",))
    yield counter
    del instruments.instruments._entries[counter.key]


def test_a_label_without_end_ends(registry: CollectorRegistry, careless: Any) -> None:
    for number in range(MOST_SERIES + 50):
        careless.add(f"/{number}")
    assert len(series(registry, "core_careless_total")) == MOST_SERIES + 1
    assert registry.get_sample_value("core_careless_total", {"path": "other"}) == 50


def test_while_nobody_watches_nothing_is_counted() -> None:
    assert not any(instrument.is_on for instrument in instruments.instruments)


def series(registry: CollectorRegistry, name: str) -> list[dict[str, str]]:
    return [one.labels for family in registry.collect() for one in family.samples if one.name == name]


@pytest.mark.commits
def test_events_that_are_taken_in_count_by_what_became_of_them(alice: Api, counted: Counted) -> None:
    about = entity(alice)
    sent = [event(about, messageId="m-1"), event(about, messageId="m-2"), event(UNKNOWN)]
    alice.post("/platform-events/batch", {"events": sent})
    alice.post("/platform-events", event(about, messageId="m-1"))
    found = {name: counted("core_events_ingested_total", outcome=name) for name in ("stored", "again", "refused")}
    assert found == {"stored": 2, "again": 1, "refused": 1}


@pytest.mark.commits
def test_events_of_stripe_count_by_what_became_of_them(tenant: Any, counted: Counted) -> None:
    def told(number: int, kind: str, **about: str) -> bool:
        moment = {"created": 1_800_000_000, "livemode": key_is_live(), "data": {"object": about}}
        return event_receive({"id": f"evt_{number}", "type": kind, **moment})

    customer = {"object": "customer", "id": "cus_nobody"}
    assert told(1, "customer.updated", **customer)
    assert not told(1, "customer.updated", **customer)
    assert told(2, "nobody.knows")
    assert told(3, "invoice.paid", object="invoice", id="in_of_nobody")
    # Stripe, who is asked whose customer that is, is not set up here.
    dispatcher.drain()
    names = ("received", "again", "ignored", "unmatched", "failed")
    found = {name: counted("core_stripe_events_total", outcome=name) for name in names}
    assert found == {"received": 2, "again": 1, "ignored": 1, "unmatched": 1, "failed": 1}
