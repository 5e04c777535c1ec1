"""Schemas made by sign-ups: many at once, and beside deployments."""

import pytest
from django.db import connection, transaction

from platform_site.binding import BindingError
from platform_site.errors import PlatformError
from tenancy.errors import TENANT_PROVISIONING
from tenancy.migrating import history
from tenancy.models import SchemaTemplate, Tenant
from tenancy.provisioning import locks, replay
from tenancy.provisioning.replay import create_schema, current_template, new_schema_name
from tenancy.registration import tenant_register
from tenancy.tests.catalogue import catalogue, schema_exists, somebody_else
from tests.support import PASSWORD, at_once, scaled


def register(slug: str) -> Tenant:
    return tenant_register(
        company_name="Parallel", slug=slug, admin_email=f"admin@{slug}.test", admin_password=PASSWORD
    ).tenant


def refused_sign_up() -> PlatformError:
    with pytest.raises(PlatformError) as refused:
        register("refused-corp")
    assert refused.value.code is TENANT_PROVISIONING
    assert not Tenant.objects.filter(slug="refused-corp").exists()
    return refused.value


@pytest.mark.commits
@pytest.mark.timeout(300)
def test_many_sign_ups_at_once_all_get_the_same_schema(database: None) -> None:
    count = scaled(20, 60)
    made = at_once(count, lambda number: register(f"parallel-{number}"))
    assert made.most_at_once > 5
    expected = catalogue(made.results[0].schema_name)
    assert all(
        [line for line in catalogue(tenant.schema_name) if line[0] != "sequence"]
        == [line for line in expected if line[0] != "sequence"]
        for tenant in made.results
    )
    assert len({tenant.schema_name for tenant in made.results}) == count


@pytest.mark.commits
def test_no_more_than_four_sign_ups_hold_locks_at_once(tenant: Tenant) -> None:
    with somebody_else() as other:
        for slot in range(locks.SLOTS):
            other.execute("SELECT pg_advisory_lock(%s, %s)", [locks._ABOUT_SLOTS, slot])
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '300ms'")
        assert refused_sign_up().retry_after
    assert register("refused-corp").slug == "refused-corp"


@pytest.mark.commits
def test_a_sign_up_during_a_deployment_is_told_to_come_back(tenant: Tenant) -> None:
    with somebody_else() as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [locks._ABOUT_ALL, locks._DEPLOY])
        assert refused_sign_up().retry_after
    assert register("refused-corp").status == "active"


@pytest.mark.commits
def test_a_deployment_waits_for_the_sign_up_that_is_in_flight(tenant: Tenant) -> None:
    lock = ("SELECT pg_try_advisory_lock(%s, %s)", [locks._ABOUT_ALL, locks._DEPLOY])
    with somebody_else() as other:
        with transaction.atomic():
            register("in-flight")
            assert other.execute(*lock).fetchone() == (False,)
        assert other.execute(*lock).fetchone() == (True,)


@pytest.mark.as_owner
def test_a_template_that_was_replaced_is_used_no_more(database: None) -> None:
    template = current_template()
    SchemaTemplate.objects.all().delete()
    refused_sign_up()
    # And the process has forgotten it: from now on it does not even begin.
    assert template.fingerprint not in replay._templates


def test_code_that_is_ahead_of_the_database_makes_no_tenant(database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "migrations_fingerprint", lambda: "of the next release")
    refused_sign_up()


@pytest.mark.commits
def test_a_schema_is_made_in_its_tenants_transaction_only(tenant: Tenant) -> None:
    name = new_schema_name()
    with pytest.raises(BindingError):
        create_schema(schema_name=name, template=current_template())
    assert not schema_exists(name)


def test_the_fingerprint_is_of_tenants_migrations_alone(database: None) -> None:
    assert Tenant.objects.get(slug="acme").schema_fingerprint == history.migrations_fingerprint()
    assert not history.shared_apps() & history.tenant_apps()
    assert {"accounts", "journal"} <= history.tenant_apps()
    assert {"tenancy", "outbox", "staff"} <= history.shared_apps()
