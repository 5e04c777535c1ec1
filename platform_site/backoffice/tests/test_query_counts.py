"""Every page of the public admin costs the same number of queries, with ten rows and with ten thousand."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.directory.services import directory_rebuild_bound
from accounts.staff.models import StaffAct, StaffSession, StaffUser
from accounts.staff.roles import StaffRole
from accounts.staff.tests.support import browser_of, routes_below, routes_of, staff_of
from platform_site.backoffice.counting import count_all
from platform_site.binding import bind
from platform_site.ids import uuid7
from platform_site.outbox.models import OutboxRow
from tenancy.admin.acts import BY_SLUG
from tenancy.models import Tenant
from tests.support import Api

# What each page asks. Signing in is two of them (session, person), the audit's own row is one.
PAGES = {
    # tenants by state, sign-ups, sums of days, schemas behind (2), outbox, dead letters, bad mail, the walk
    "/admin/": 12,
    "/admin/tenancy/": 3,
    "/admin/outbox/": 3,
    "/admin/staff/": 3,
    "/admin/password_change/": 3,
    "/admin/password_change/done/": 3,
    "/admin/find/": 3,
    # the page of tenants, each with its figures
    "/admin/tenancy/tenant/": 4,
    "/admin/tenancy/tenant/?q=Company": 4,
    "/admin/tenancy/tenant/?failing=any": 4,
    "/admin/tenancy/tenant/?p=2": 4,
    # tenant and account, into the schema and back (2), savepoint (2), people, mail server, sizes, figures, days,
    # outbox, errors (2), billing changes, sessions, acts
    "/admin/tenancy/tenant/{tenant}/change/": 19,
    **dict.fromkeys((f"/admin/tenancy/tenant/{{tenant}}/do/{slug}/" for slug in BY_SLUG), 4),
    # the tenant twice, into its schema and back twice, the person twice, the setting, the staff session
    "/admin/impersonate/{tenant}/{person}/": 13,
    "/admin/outbox/outboxrow/": 4,
    "/admin/outbox/outboxrow/?state__exact=dead": 4,
    # the tenant of this slug
    "/admin/outbox/outboxrow/?q=acme": 5,
    "/admin/outbox/outboxrow/{row}/change/": 5,
    "/admin/outbox/outboxrow/retry/?rows={row}": 3,
    # the page of acts, and who is staff, for the filter
    "/admin/staff/staffact/": 5,
    "/admin/staff/staffact/?q=acme": 6,
    "/admin/staff/staffact/?kind=actions&action=tenant": 5,
    "/admin/staff/staffact/{act}/change/": 5,
    "/admin/staff/staffsession/": 5,
    "/admin/staff/staffsession/{session}/change/": 6,
    "/admin/staff/staffuser/": 4,
    # the content type, for its link
    "/admin/staff/staffuser/add/": 4,
    "/admin/staff/staffuser/{staff}/change/": 5,
    # a savepoint (2), too
    "/admin/staff/staffuser/{staff}/password/": 6,
}
# Signing in and out, files, and what is refused to everybody.
NO_PAGES = {
    "admin:login", "admin:logout", "admin:jsi18n", "admin:autocomplete", "admin:view_on_site", "admin:search",
    *(f"admin:{model}_{page}" for model in ("tenancy_tenant", "outbox_outboxrow", "staff_staffact",
      "staff_staffsession") for page in ("add", "delete", "history")),
    "admin:staff_staffuser_delete", "admin:staff_staffuser_history",
}  # fmt: skip
# Each search writes down that there was one, in a savepoint (2): that is three besides what is looked up.
SEARCHES = {"admin@acme.test": 13, "Company": 7, "no such tenant": 7}

FILL = [
    """
    INSERT INTO tenancy_tenant (id, name, slug, schema_name, status, suspended_reason, plan, timezone, locale, logo_url,
        colors, schema_fingerprint, access_reason, data_epoch, created_at, updated_at)
    SELECT gen_random_uuid(), 'Company ' || n, 'company-' || %(round)s || '-' || n, 't_' || %(round)s || '_' || n,
        (ARRAY['active','suspended','deleted'])[n %% 3 + 1], '', 'trial', 'UTC', 'en', '', '{}', 'old', '', 1,
        now() - n * interval '1 minute', now() FROM generate_series(1, %(count)s) AS n
    """,
    """
    INSERT INTO backoffice_tenantfigures (tenant_id, seats_used, people_active, mail_server, error, counted_at)
    SELECT id, 1, 1, 'failing', '', now() FROM tenancy_tenant ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO backoffice_tenantday (tenant_id, day, active_people, mails_sent, mails_bounced, mails_dead)
    SELECT id, current_date, 1, 1, 1, 1 FROM tenancy_tenant ON CONFLICT DO NOTHING
    """,
    """
    INSERT INTO outbox_outboxrow (id, tenant_id, entry_id, key, reaction, queue, state, attempts, available_at,
        last_error, created_at)
    SELECT gen_random_uuid(), CASE WHEN n %% 2 = 0 THEN %(tenant)s::uuid ELSE gen_random_uuid() END, gen_random_uuid(),
        'k', 'r', 1, (ARRAY['pending','dead','parked'])[n %% 3 + 1], 3, now(), 'OSError', now()
    FROM generate_series(1, %(count)s) AS n
    """,
    """
    INSERT INTO staff_staffact (id, at, staff_id, staff_email, tenant_id, action, reason, data, method, path, status,
        origin, request_id)
    SELECT gen_random_uuid(), now(), %(staff)s, 'a@b.test', CASE WHEN n %% 2 = 0 THEN %(tenant)s::uuid END,
        (ARRAY['tenant.suspended', ''])[n %% 2 + 1], '', '{}', 'GET', '/admin/', 200, '', ''
    FROM generate_series(1, %(count)s) AS n
    """,
    """
    INSERT INTO staff_staffsession (id, staff_id, tenant_id, reason, opened_at, ends_at, origin)
    SELECT gen_random_uuid(), %(staff)s, %(tenant)s::uuid, 'why', now(), now() + interval '1 hour', ''
    FROM generate_series(1, %(count)s) AS n
    """,
    """
    INSERT INTO staff_staffuser (password, is_superuser, username, first_name, last_name, is_staff, is_active,
        date_joined, email, role)
    SELECT '', false, 's' || %(round)s || n, '', '', true, true, now(), 's' || %(round)s || n || '@b.test', 'viewer'
    FROM generate_series(1, %(count)s) AS n
    """,
    """
    INSERT INTO billing_stripeevent (id, type, api_version, livemode, created, received_at, tenant_id, customer_id,
        object_id, payload, status, attempts, last_error)
    SELECT 'evt_' || %(round)s || n, 'invoice.paid', '', false, now(), now(), %(tenant)s::uuid, '', '', '{}', 'failed',
        1, 'Oops' FROM generate_series(1, %(count)s) AS n
    """,
]


def fill(tenant: Tenant, staff: StaffUser, *, number: int, count: int) -> None:
    values = {"tenant": tenant.id, "staff": staff.pk, "round": number, "count": count}
    with connection.cursor() as cursor:
        for statement in FILL:
            cursor.execute(statement, values)


@contextmanager
def counted(into: dict[str, int], name: str) -> Iterator[None]:
    # It forgets with each change of the schema, so a page's number would depend on the page before.
    ContentType.objects.clear_cache()
    with CaptureQueriesContext(connection) as queries:
        yield
    into[name] = len(queries)


def asked(browser: Client, ids: dict[str, Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for path in PAGES:
        with counted(found, path):
            assert browser.get(path.format(**ids)).status_code == 200, path
    for term in SEARCHES:
        with counted(found, term):
            assert browser.post("/admin/find/", {"term": term}).status_code == 200
    return found


@pytest.fixture
def root(database: None) -> StaffUser:
    return staff_of(StaffRole.SUPERUSER)


def test_no_page_of_the_admin_is_missing() -> None:
    someone = uuid7()
    ids = dict.fromkeys(("tenant", "row", "act", "session", "person"), someone) | {"staff": 1}
    counted_ones = routes_of(path.format(**ids) for path in PAGES)
    assert routes_below("admin/") == counted_ones | NO_PAGES


def test_pages_cost_the_same_with_ten_rows_and_with_ten_thousand(tenant: Tenant, root: StaffUser, alice: Api) -> None:
    with bind(tenant.ref):
        directory_rebuild_bound()
    count_all()
    fill(tenant, root, number=1, count=10)
    browser = browser_of(root)
    ids = {
        "tenant": tenant.id,
        "staff": root.pk,
        "person": alice.user.uuid,
        "row": OutboxRow.objects.filter(tenant_id=tenant.id, state="dead").values_list("id", flat=True)[0],
        "act": StaffAct.objects.filter(tenant_id=tenant.id).values_list("id", flat=True)[0],
        "session": StaffSession.objects.values_list("id", flat=True)[0],
    }
    few = asked(browser, ids)
    fill(tenant, root, number=2, count=10_000)
    assert asked(browser, ids) == few
    assert few == PAGES | SEARCHES
