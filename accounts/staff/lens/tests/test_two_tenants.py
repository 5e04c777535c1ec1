"""Two tenants at once, on two threads: neither ever shows anything of the other (scenario 29)."""

import random
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from accounts.admin import UserAdmin
from accounts.models import User
from accounts.staff.lens.tests.world import (
    addresses,
    furnish,
    keys_of,
    marker,
    models,
    site_addresses,
    text_of,
)
from accounts.staff.models import StaffUser
from accounts.staff.roles import StaffRole
from accounts.staff.services import session_open
from accounts.staff.tests.support import browser_of, staff_of
from platform_site.binding import BindingError, bind, connection
from tenancy.models import Tenant
from tests.support import scaled, threads_close_connections

pytestmark = [pytest.mark.commits, pytest.mark.timeout(600)]
WHY = {"reason": "ticket 42", "_form_submitted": "on"}


@pytest.fixture
def staff(database: None) -> StaffUser:
    return staff_of(StaffRole.SUPPORT)


@pytest.fixture
def pair(tenant: Tenant, other_tenant: Tenant, staff: StaffUser) -> tuple[Tenant, Tenant]:
    for one in (tenant, other_tenant):
        furnish(one)
        session_open(staff=staff, tenant_id=one.id, reason="ticket 41")
    return tenant, other_tenant


@contextmanager
def nervous() -> Iterator[None]:
    """Threads take turns after a tenth of a millisecond."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0001)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def all_addresses(tenant: Tenant) -> list[str]:
    pages = [address for model in models() for _, address in addresses(tenant, model)]
    return [*site_addresses(tenant), *pages]


def look(browser: Client, address: str, own: Tenant, foreign: Tenant) -> bool:
    """Whether the page shows the tenant's own; fails for anything of the other."""
    answer = browser.get(address)
    assert answer.status_code == 200, (address, answer.status_code)
    text = text_of(answer).lower()
    assert marker(foreign) not in text, address
    assert f"/admin/t/{foreign.slug}/" not in text, address
    return marker(own) in text


def in_thread(work: Any) -> tuple[threading.Thread, list[BaseException]]:
    wrong: list[BaseException] = []

    def run() -> None:
        with threads_close_connections():
            try:
                work()
            except BaseException as error:
                wrong.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, wrong


def test_one_stands_still_in_the_middle_while_the_other_does_everything(
    pair: tuple[Tenant, Tenant], staff: StaffUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = pair
    inside, go_on = threading.Event(), threading.Event()
    plain = UserAdmin.get_queryset
    halted = threading.local()

    def waiting(self: UserAdmin, request: Any) -> Any:
        rows = plain(self, request)
        if getattr(halted, "here", False):
            halted.here = False
            inside.set()
            assert go_on.wait(120)
        return rows

    monkeypatch.setattr(UserAdmin, "get_queryset", waiting)
    browser, other = browser_of(staff), browser_of(staff)
    shown: list[bool] = []

    def stand_still() -> None:
        halted.here = True
        shown.append(look(browser, f"/admin/t/{first.slug}/accounts/user/", first, second))

    thread, wrong = in_thread(stand_still)
    assert inside.wait(60)
    try:
        seen = [look(other, address, second, first) for address in all_addresses(second)]
        person = keys_of(second, User)[0]
        done = other.post(f"/admin/t/{second.slug}/accounts/user/{person}/revoke-sessions/", WHY)
        assert done.status_code == 302
    finally:
        go_on.set()
        thread.join(120)
    assert wrong == []
    assert shown == [True]
    assert sum(seen) > len(models())
    entry = LogEntry.objects.get()
    assert entry.of_tenant.tenant_id == second.id


def test_hundreds_of_requests_in_any_order(pair: tuple[Tenant, Tenant], staff: StaffUser) -> None:
    first, second = pair
    # Keys are read before the threads begin, and both have people of the same numbers.
    plans = {one: all_addresses(one) for one in pair}
    people = {one: keys_of(one, User) for one in pair}
    shown: dict[Tenant, int] = {first: 0, second: 0}

    def walk(own: Tenant, foreign: Tenant, seed: int) -> None:
        browser, order = browser_of(staff), random.Random(seed)
        for _ in range(scaled(60, 1000)):
            if order.random() < 0.1:
                person = order.choice(people[own])
                place = f"/admin/t/{own.slug}/accounts/user/{person}"
                assert browser.post(f"{place}/revoke-sessions/", {**WHY, "reason": marker(own)}).status_code == 302
                look(browser, f"{place}/history/", own, foreign)
            else:
                shown[own] += look(browser, order.choice(plans[own]), own, foreign)

    with nervous():
        begun = [in_thread(lambda: walk(first, second, 1)), in_thread(lambda: walk(second, first, 2))]
        for thread, _ in begun:
            thread.join(500)
    assert [wrong for _, wrong in begun] == [[], []]
    assert all(count > 10 for count in shown.values()), shown
    assert set(LogEntry.objects.values_list("of_tenant__tenant_id", flat=True)) == {first.id, second.id}


def test_an_export_leaves_the_tenant_between_its_steps(pair: tuple[Tenant, Tenant], staff: StaffUser) -> None:
    first, second = pair
    browser = browser_of(staff)
    answer = browser.get(f"/admin/t/{first.slug}/accounts/user/export.csv")
    steps = iter(answer.streaming_content)  # type: ignore[attr-defined]
    taken = [next(steps)]
    assert connection.schema_name == "public"
    # The same thread and connection serve somebody else meanwhile.
    assert look(browser, f"/admin/t/{second.slug}/accounts/user/", second, first)
    taken += list(steps)
    text = b"".join(taken).decode().lower()
    assert marker(first) in text
    assert marker(second) not in text
    answer.close()
    assert connection.schema_name == "public"


def test_an_export_that_is_given_up_leaves_nothing_bound(pair: tuple[Tenant, Tenant], staff: StaffUser) -> None:
    first, second = pair
    browser = browser_of(staff)
    answer = browser.get(f"/admin/t/{first.slug}/accounts/user/export.json")
    next(iter(answer.streaming_content))  # type: ignore[attr-defined]
    answer.close()
    with bind(second.ref):
        assert User.objects.filter(email__startswith=marker(first)).count() == 0


def test_a_page_that_breaks_leaves_nothing_bound(
    pair: tuple[Tenant, Tenant], staff: StaffUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = pair
    browser = browser_of(staff)
    browser.raise_request_exception = False

    def broken(self: UserAdmin, request: Any) -> Any:
        raise RuntimeError("broken")

    with monkeypatch.context() as patch:
        patch.setattr(UserAdmin, "get_queryset", broken)
        assert browser.get(f"/admin/t/{first.slug}/accounts/user/").status_code == 500
    assert connection.schema_name == "public"
    assert look(browser, f"/admin/t/{second.slug}/accounts/user/", second, first)


def test_a_query_with_a_wrong_binding_is_refused(pair: tuple[Tenant, Tenant]) -> None:
    first, second = pair
    with bind(first.ref):
        connection.set_schema(second.schema_name)
        with pytest.raises(BindingError):
            User.objects.count()
        connection.set_schema(first.schema_name)
