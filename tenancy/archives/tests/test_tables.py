"""Each table of a tenant's schema was thought about: what an export does with it."""

import pytest
from django.apps import apps
from django.conf import settings
from django.db.models import Model

from platform_site.archiving import erasure_replays
from platform_site.sealed_columns import sealed_columns
from tenancy.archives.exporting import sealed_that_travel
from tenancy.archives.tenant_tables import TENANT_TABLES, Travels
from tenancy.erasures.models import Erasure

pytestmark = pytest.mark.no_django


def models_of_tenants() -> list[type[Model]]:
    names = settings.TENANT_APPS
    return [model for config in apps.get_app_configs() if config.name in names for model in config.get_models()]


def test_every_table_of_a_tenants_schema_travels_or_stays_for_a_reason() -> None:
    assert sorted(kind.label for kind in TENANT_TABLES) == sorted(model._meta.label for model in models_of_tenants())
    assert all(kind.why for kind in TENANT_TABLES if kind.travels is not Travels.YES)


def test_every_column_that_is_called_sealed_travels() -> None:
    """By its name, since bytes do not tell; the answers of idempotency keys are good for a day and stay behind."""
    named = {
        f"{model._meta.label}.{field.column}"
        for model in models_of_tenants()
        for field in model._meta.local_concrete_fields
        if "sealed" in str(field.column)
    }
    assert named == {column.name for column in sealed_that_travel()}


def test_a_sealed_column_of_a_tenants_schema_travels_under_a_passphrase_or_its_table_stays() -> None:
    staying = {kind.label for kind in TENANT_TABLES if kind.travels is Travels.NO}
    left = {column.model for column in sealed_columns if not column.is_shared} - {
        column.model for column in sealed_that_travel()
    }
    assert left == {"idempotency.IdempotencyRecord"} <= staying


def test_every_kind_of_erasure_can_be_done_again() -> None:
    assert {kind.key for kind in erasure_replays} == {"user", "entity"}
    assert max(map(len, ("user", "entity"))) <= (Erasure._meta.get_field("kind").max_length or 0)
