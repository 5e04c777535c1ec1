"""Staff's list of the outbox: what rests there, and another round for what was given up."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from accounts.staff.models import StaffAct
from accounts.staff.roles import StaffRole
from accounts.staff.tests.support import browser_of, staff_of
from platform_site.binding import bind
from platform_site.ids import uuid7
from platform_site.journal.models import JournalEntry
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.services import enqueue_request
from tenancy.models import Tenant

LIST = "/admin/outbox/outboxrow/"


@pytest.fixture
def support(database: None) -> Client:
    OutboxRow.objects.all().delete()
    return browser_of(staff_of(StaffRole.SUPPORT))


def resting(tenant_id: UUID | None, state: str = "dead") -> OutboxRow:
    return OutboxRow.objects.create(
        tenant_id=tenant_id, entry_id=uuid7(), key="k", reaction="r", state=state, attempts=10
    )


def retry(browser: Client, *rows: OutboxRow, reason: str = "The mail server is back") -> Any:
    """What comes of choosing these in the list and giving a reason on the page that follows."""
    chosen = browser.post(LIST, {"action": "retry_selected", "_selected_action": [str(row.id) for row in rows]})
    assert chosen.status_code == 302
    return browser.post(chosen["Location"], {"reason": reason})


def states(*rows: OutboxRow) -> list[str]:
    for row in rows:
        row.refresh_from_db()
    return [row.state for row in rows]


def test_the_list_shows_rows_by_state_and_by_tenant(support: Client, tenant: Tenant, other_tenant: Tenant) -> None:
    mine, foreign, waits = resting(tenant.id), resting(other_tenant.id), resting(tenant.id, "pending")

    def listed(**query: str) -> set[UUID]:
        return {row.id for row in support.get(LIST, query).context["cl"].result_list}

    assert listed() == {mine.id, foreign.id, waits.id}
    assert listed(state__exact="dead") == {mine.id, foreign.id}
    assert listed(q="acme") == listed(q=str(tenant.id)) == {mine.id, waits.id}
    assert listed(q="nobody") == set()


def test_selected_ones_get_another_round(support: Client, tenant: Tenant, other_tenant: Tenant) -> None:
    mine, foreign, left = resting(tenant.id), resting(other_tenant.id), resting(tenant.id)
    assert retry(support, mine, foreign).status_code == 302
    assert states(mine, foreign, left) == ["pending", "pending", "dead"]
    of_all = StaffAct.objects.get(action="outbox.redriven", tenant_id=None)
    assert (of_all.reason, sorted(of_all.data["rows"])) == (
        "The mail server is back", sorted([str(mine.id), str(foreign.id)])
    )  # fmt: skip
    # Each tenant reads of its own rows alone.
    for one, row in ((tenant, mine), (other_tenant, foreign)):
        assert StaffAct.objects.get(action="outbox.redriven", tenant_id=one.id).data == {"rows": [str(row.id)]}
        with bind(one.ref):
            entry = JournalEntry.objects.get(key="staff.acted")
            assert (entry.data["rows"], entry.data["reason"]) == ([str(row.id)], "The mail server is back")


def test_work_of_nobody_and_of_a_tenant_that_is_gone_too(support: Client, tenant: Tenant) -> None:
    Tenant.objects.filter(pk=tenant.pk).update(status="deleted")
    rows = [resting(None), resting(uuid4()), resting(tenant.id)]
    assert retry(support, *rows).status_code == 302
    assert states(*rows) == ["pending"] * 3
    # Nobody has a journal any more in which to read it.
    acts = StaffAct.objects.filter(action="outbox.redriven")
    assert {act.tenant_id for act in acts} == {None, rows[1].tenant_id, tenant.id}


def test_what_is_no_dead_letter_stays_as_it_is(support: Client, tenant: Tenant) -> None:
    parked = resting(tenant.id, "parked")
    page = retry(support, parked)
    assert (page.status_code, "None of these is a dead letter" in page.content.decode()) == (400, True)
    assert states(parked) == ["parked"]
    assert not StaffAct.objects.exclude(action="").exists()


def test_without_a_reason_nothing_is_tried(support: Client, tenant: Tenant) -> None:
    row = resting(tenant.id)
    assert retry(support, row, reason=" ").status_code == 400
    assert states(row) == ["dead"]


def test_a_viewer_is_not_offered_it(tenant: Tenant) -> None:
    row = resting(tenant.id)
    viewer = browser_of(staff_of(StaffRole.VIEWER))
    assert "retry_selected" not in viewer.get(LIST).content.decode()
    viewer.post(LIST, {"action": "retry_selected", "_selected_action": [str(row.id)]})
    assert viewer.post(f"{LIST}retry/?rows={row.id}", {"reason": "Because"}).status_code == 403
    assert states(row) == ["dead"]


def test_what_somebody_unknown_asked_is_shown_to_nobody(support: Client) -> None:
    row_id = enqueue_request(kind="k", payload={"email": "secret@acme.test"})
    page = support.get(f"{LIST}{row_id}/change/")
    assert page.status_code == 200
    assert "payload" not in page.content.decode().lower()


def test_an_address_that_names_no_rows_is_no_page(support: Client) -> None:
    assert support.get(f"{LIST}retry/?rows=nonsense").status_code == 404
