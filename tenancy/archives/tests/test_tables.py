"""Each table of a tenant's schema was thought about: what an export does with it."""

from django.apps import apps
from django.conf import settings
from django.db.models import Model

from platform_site.archiving import erasure_replays, sealed_columns
from tenancy.archives.tenant_tables import TENANT_TABLES, Travels
from tenancy.erasures.models import Erasure


def models_of(names: list[str]) -> list[type[Model]]:
    """Not those of Django and others, which know no tenants."""
    ours = {name for name in names if not name.startswith(("django.", "unfold", "django_tenants"))}
    return [model for config in apps.get_app_configs() if config.name in ours for model in config.get_models()]


def test_every_table_of_a_tenants_schema_travels_or_stays_for_a_reason() -> None:
    assert sorted(kind.label for kind in TENANT_TABLES) == sorted(
        model._meta.label for model in models_of(settings.TENANT_APPS)
    )
    assert all(kind.why for kind in TENANT_TABLES if kind.travels is not Travels.YES)


def test_every_column_with_something_sealed_is_known() -> None:
    """By its name, since bytes do not tell; the answers of idempotency keys are good for a day and stay behind."""
    named = {
        f"{model._meta.label}.{field.column}"
        for model in models_of(settings.TENANT_APPS)
        for field in model._meta.local_concrete_fields
        if "sealed" in str(field.column)
    }
    assert named == {kind.key for kind in sealed_columns}


def test_every_kind_of_erasure_can_be_done_again() -> None:
    assert {kind.key for kind in erasure_replays} == {"user", "entity"}
    assert max(map(len, ("user", "entity"))) <= (Erasure._meta.get_field("kind").max_length or 0)
