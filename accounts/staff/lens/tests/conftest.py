"""Staff of each role, their browsers, and tenants that have something of everything."""

import pytest
from django.test import Client

from accounts.staff.lens.tests.world import furnish
from accounts.staff.models import StaffUser
from accounts.staff.roles import StaffRole
from accounts.staff.tests.support import browser_of, staff_of
from tenancy.models import Tenant


@pytest.fixture
def viewer(database: None) -> StaffUser:
    return staff_of(StaffRole.VIEWER)


@pytest.fixture
def helper(database: None) -> StaffUser:
    return staff_of(StaffRole.SUPPORT)


@pytest.fixture
def browser(viewer: StaffUser) -> Client:
    """A viewer's."""
    return browser_of(viewer)


@pytest.fixture
def support(helper: StaffUser) -> Client:
    """The browser of somebody who may help, and has no session yet."""
    return browser_of(helper)


@pytest.fixture
def furnished(tenant: Tenant) -> Tenant:
    furnish(tenant)
    return tenant


@pytest.fixture
def both(furnished: Tenant, other_tenant: Tenant) -> tuple[Tenant, Tenant]:
    furnish(other_tenant)
    return furnished, other_tenant
