"""The reaper takes what a crash left, and nothing else."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from platform_site.binding import connection
from tenancy.models import RegistrationKey, SchemaTemplate, Tenant
from tenancy.provisioning.reaper import MOST_ORPHANS, reap
from tenancy.provisioning.schemas import TENANT_SCHEMA, new_schema_name, new_template_name, schemas_like
from tests.support import Api

pytestmark = pytest.mark.commits


def make_schema(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE SCHEMA "{name}"')
    return name


def test_a_schema_without_a_tenant_goes_and_tenants_stay(tenant: Tenant, other_tenant: Tenant) -> None:
    orphan = make_schema(new_schema_name())
    assert reap().schemas == [orphan]
    assert set(schemas_like(TENANT_SCHEMA)) == {tenant.schema_name, other_tenant.schema_name}
    assert reap().schemas == []


def test_other_schemas_are_none_of_its_business(database: None) -> None:
    for name in ("t_mine", "archive", "t_0123456789ABCDEF"):
        make_schema(name)
    assert reap().schemas == []


def test_a_sign_up_that_never_ended_frees_its_slug(api: Api) -> None:
    name = make_schema(new_schema_name())
    Tenant.objects.create(
        name="Half", slug="half-corp", schema_name=name, created_at=timezone.now() - timedelta(minutes=11)
    )
    young = Tenant.objects.create(name="Young", slug="young-corp", schema_name=make_schema(new_schema_name()))
    assert reap().sign_ups == ["half-corp"]
    assert Tenant.objects.filter(pk=young.pk).exists()
    body = {
        "companyName": "Half",
        "slug": "half-corp",
        "adminEmail": "a@half.test",
        "adminPassword": "secure-password",
    }
    assert api.post("/tenants/register", body).status_code == 201


def test_templates_that_nobody_names_go(database: None) -> None:
    left_over = make_schema(new_template_name())
    assert reap().templates == [left_over]
    assert SchemaTemplate.objects.get().template_schema


def test_many_orphans_at_once_are_held_back(database: None, manage: Any) -> None:
    """Then the rows are what is missing, and the schemas are all that is left of the tenants."""
    names = sorted(make_schema(new_schema_name()) for _ in range(MOST_ORPHANS + 1))
    assert reap().held_back == names
    refused = manage("tenants_reap")
    assert (refused.returncode, "--force" in refused.stderr) == (1, True)
    assert reap(force=True).schemas == names


def test_the_task_also_forgets_old_sign_up_keys(database: None) -> None:
    from tenancy.tasks import reap as task

    for key, age in ((b"old", 25), (b"new", 1)):
        made = timezone.now() - timedelta(hours=age)
        RegistrationKey.objects.create(key_hash=key, body_hash=b"", status=201, answer=b"", created_at=made)
    task()
    assert [bytes(row.key_hash) for row in RegistrationKey.objects.all()] == [b"new"]


def test_a_dry_run_only_tells(database: None, manage: Any) -> None:
    orphan = make_schema(new_schema_name())
    told = manage("tenants_reap", "--dry-run", "--json")
    assert json.loads(told.stdout)["schemas"] == [orphan]
    assert orphan in schemas_like(TENANT_SCHEMA)
