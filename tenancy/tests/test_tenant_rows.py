"""Each table of public was thought about: whose rows it has, and what a purge, a backup and a restore do with them."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model

from platform_site.tenant_rows import AtPurge, AtRestore, TenantRows, tenant_rows
from tenancy.models import Tenant

pytestmark = pytest.mark.no_django

# Models of public that hold nothing of one tenant's.
PLATFORMS_OWN = {
    "tenancy.SchemaTemplate",
    # Who signs up has no tenant yet; what is kept of it goes after a day.
    "tenancy.RegistrationKey",
    "tenancy.CacheEpoch",
    "staff.StaffUser",
    "staff.StaffUser_groups",
    "staff.StaffUser_user_permissions",
    # When the last walk over all tenants was.
    "backoffice.Walk",
    "auth.Permission",
    "auth.Group",
    "auth.Group_permissions",
    "contenttypes.ContentType",
    "sessions.Session",
}


def models_of_public() -> list[type[Model]]:
    return [
        model
        for config in apps.get_app_configs()
        if config.name in settings.SHARED_APPS
        for model in config.get_models(include_auto_created=True)
    ]


def of_a_tenant() -> Iterator[tuple[str, str]]:
    """(model, column) of every table of public with a tenant's id: by name, or by a foreign key that leads to one."""
    known: dict[type[Model], str] = {Tenant: "id"}
    searching = True
    while searching:
        searching = False
        for model in models_of_public():
            for field in model._meta.local_concrete_fields:
                leads = field.remote_field is not None and field.remote_field.model in known
                if model not in known and (leads or field.column == "tenant_id"):
                    known[model], searching = str(field.column), True
    return ((model._meta.label, column) for model, column in known.items())


def column_of(rows: TenantRows) -> str:
    """The one with the tenant's id, or with what leads to it."""
    try:
        return rows.column
    except FieldDoesNotExist:
        leads: Any = rows.model._meta.get_field(rows.by.partition("__")[0])
        return str(leads.column)


def test_every_table_of_public_is_somebodys() -> None:
    public = {model._meta.label for model in models_of_public()}
    assert {rows.label for rows in tenant_rows} == public - PLATFORMS_OWN
    assert public >= PLATFORMS_OWN


def test_a_table_with_a_tenants_id_is_a_tenants_and_found_by_it() -> None:
    # Of the admin's log, another table says whose an entry is.
    own = {rows.label: column_of(rows) for rows in tenant_rows if rows.label != "admin.LogEntry"}
    assert own == dict(of_a_tenant())


def test_what_is_not_simply_removed_has_a_reason_and_every_fate_at_a_restore_has_one() -> None:
    for rows in tenant_rows:
        assert rows.why_restored, rows.label
        assert rows.why_purged or rows.at_purge is AtPurge.REMOVED, rows.label


def test_what_is_anonymised_says_what_is_left_and_nothing_else_does() -> None:
    # The tenant's own row is what a purge leaves; tenancy.purging has a rule for it.
    with_values = {rows.label for rows in tenant_rows if rows.values}
    assert with_values == {rows.label for rows in tenant_rows if rows.at_purge is AtPurge.ANONYMISED} - {
        "tenancy.Tenant"
    }


def test_what_is_in_a_backup_is_found_by_a_column_of_its_own() -> None:
    for rows in tenant_rows:
        if rows.is_in_backup:
            columns = {field.column for field in rows.model._meta.local_concrete_fields}
            assert {rows.column, *rows.unnumbered} <= columns


def test_what_is_put_back_only_when_the_tenant_was_gone_hangs_on_the_tenant() -> None:
    """Otherwise it would have stayed, and be there twice."""
    for rows in tenant_rows:
        if rows.at_restore is AtRestore.WHEN_GONE:
            assert any(field.remote_field for field in rows.model._meta.local_concrete_fields)


def test_only_what_has_a_rule_says_that_it_has_one() -> None:
    by_rule = {rows.label for rows in tenant_rows if rows.at_restore is AtRestore.BY_RULE}
    assert by_rule == {"tenancy.Tenant", "outbox.OutboxRow"}


def test_the_page_for_operators_has_the_same_table() -> None:
    page = (settings.BASE_DIR / "docs" / "operations.md").read_text()
    for rows in tenant_rows:
        assert f"| `{rows.label}` | {rows.at_purge} |" in page
