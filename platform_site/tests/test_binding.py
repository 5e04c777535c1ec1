"""The binding manager and its guard."""

import threading

import pytest
from django.db import ProgrammingError, transaction

from accounts.models import User
from platform_site.binding import BindingError, TenantRef, bind, bound_tenant, connection, require_tenant
from tenancy.models import Tenant
from tests.support import at_once, scaled


def count_and_fail() -> None:
    User.objects.count()
    raise ZeroDivisionError


def test_inside_a_binding_queries_see_that_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    with bind(tenant.ref):
        assert User.objects.get(pk=1).email == "admin@acme.test"
    with bind(other_tenant.ref):
        assert User.objects.get(pk=1).email == "admin@globex.test"


def test_a_query_outside_a_binding_raises(database: None) -> None:
    with pytest.raises(ProgrammingError), transaction.atomic():
        User.objects.count()


def test_the_guard_refuses_a_schema_that_nobody_bound(tenant: Tenant) -> None:
    """Code that switches the schema past the manager gets an error, not somebody else's rows."""
    connection.set_schema(tenant.schema_name)
    try:
        with pytest.raises(BindingError):
            User.objects.count()
    finally:
        connection.set_schema_to_public()


def test_the_guard_refuses_a_schema_other_than_the_bound_one(tenant: Tenant, other_tenant: Tenant) -> None:
    with bind(tenant.ref):
        connection.set_schema(other_tenant.schema_name)
        with pytest.raises(BindingError):
            User.objects.count()


def test_the_guard_refuses_public_behind_a_bindings_back(tenant: Tenant) -> None:
    with bind(tenant.ref):
        connection.set_schema_to_public()
        with pytest.raises(BindingError):
            Tenant.objects.count()


@pytest.mark.commits
def test_a_new_connection_has_the_guard_as_well(tenant: Tenant) -> None:
    def in_a_thread(_: int) -> type[BaseException] | None:
        connection.set_schema(tenant.schema_name)
        try:
            User.objects.count()
        except BindingError as error:
            return type(error)
        return None

    assert at_once(2, in_a_thread).results == [BindingError, BindingError]


def test_another_tenant_cannot_be_bound_inside(tenant: Tenant, other_tenant: Tenant) -> None:
    with bind(tenant.ref):
        with pytest.raises(BindingError), bind(other_tenant.ref):
            pytest.fail("two tenants at once")
        with bind(tenant.ref):
            assert User.objects.get(pk=1).email == "admin@acme.test"
        assert bound_tenant() == tenant.ref


def test_an_error_inside_unbinds(tenant: Tenant) -> None:
    with pytest.raises(ZeroDivisionError), bind(tenant.ref):
        _ = 1 / 0
    assert bound_tenant() is None
    assert connection.schema_name == "public"
    with pytest.raises(BindingError):
        require_tenant()


def test_a_rolled_back_savepoint_keeps_the_schema(tenant: Tenant) -> None:
    with bind(tenant.ref):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            count_and_fail()
        assert User.objects.get(pk=1).email == "admin@acme.test"


def test_a_rollback_across_a_switch_keeps_the_schema(tenant: Tenant, other_tenant: Tenant) -> None:
    """SET is transactional: the rollback undoes it, and the next query must not trust what it was."""
    for _ in range(50):
        with bind(tenant.ref):
            User.objects.count()
        with pytest.raises(ZeroDivisionError), bind(other_tenant.ref), transaction.atomic():
            count_and_fail()
        with bind(tenant.ref), connection.cursor() as cursor:
            cursor.execute("SHOW search_path")
            assert cursor.fetchone()[0].split(",")[0].strip('"') == tenant.schema_name


def test_a_schema_that_does_not_exist_fails_loudly(tenant: Tenant) -> None:
    ghost = TenantRef(tenant.id, "t_0000000000000000", "ghost", "active")
    with bind(ghost), pytest.raises(ProgrammingError), transaction.atomic():
        User.objects.count()


def test_only_the_migrations_table_is_in_both(tenant: Tenant) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_schema IN ('public', %s)",
            [tenant.schema_name],
        )
        rows = cursor.fetchall()
    public = {name for schema, name in rows if schema == "public"}
    own = {name for schema, name in rows if schema == tenant.schema_name}
    assert public & own == {"django_migrations"}
    assert len(own) > 4


@pytest.mark.commits
def test_two_tenants_interleaved_on_threads_never_meet(tenant: Tenant, other_tenant: Tenant) -> None:
    rounds, meetings = scaled(150, 1500), threading.Event()
    expected = {tenant.id: "admin@acme.test", other_tenant.id: "admin@globex.test"}

    def work(number: int) -> int:
        seen = 0
        for turn in range(rounds):
            ref = (tenant if (number + turn) % 2 else other_tenant).ref
            with bind(ref):
                if User.objects.values_list("email", flat=True).get(pk=1) != expected[ref.id]:
                    meetings.set()
                seen += 1
        return seen

    done = at_once(8, work)
    assert done.most_at_once == 8
    assert sum(done.results) == 8 * rounds
    assert not meetings.is_set()
