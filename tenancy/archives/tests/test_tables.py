"""Each table that has to do with tenants was thought about: what a backup and an export do with it."""

from collections.abc import Iterator

from django.apps import apps
from django.conf import settings
from django.db.models import Model

from platform_site.archiving import erasure_replays, sealed_columns
from tenancy.archives.public_tables import PUBLIC_TABLES, Fate
from tenancy.archives.tenant_tables import TENANT_TABLES, Travels
from tenancy.erasures.models import Erasure
from tenancy.models import Tenant


def models_of(names: list[str]) -> list[type[Model]]:
    """Not those of Django and others, which know no tenants."""
    ours = {name for name in names if not name.startswith(("django.", "unfold", "django_tenants"))}
    return [model for config in apps.get_app_configs() if config.name in ours for model in config.get_models()]


def of_a_tenant() -> Iterator[tuple[str, str]]:
    """(model, column) of every table of public with a tenant's id: by name, or by a foreign key that leads to one."""
    known: dict[type[Model], str] = {Tenant: "id"}
    searching = True
    while searching:
        searching = False
        for model in models_of(settings.SHARED_APPS):
            for field in model._meta.local_concrete_fields:
                leads = field.remote_field is not None and field.remote_field.model in known
                if model not in known and (leads or field.column == "tenant_id"):
                    known[model], searching = str(field.column), True
    return ((model._meta.label, column) for model, column in known.items())


def test_every_table_of_public_with_a_tenants_id_has_a_fate() -> None:
    assert sorted((kind.model, kind.column) for kind in PUBLIC_TABLES) == sorted(of_a_tenant())
    assert all(kind.why for kind in PUBLIC_TABLES)


def test_what_is_put_back_only_when_the_tenant_was_gone_hangs_on_the_tenant() -> None:
    """Otherwise it would have stayed, and be there twice."""
    for kind in PUBLIC_TABLES:
        if kind.fate is Fate.WHEN_GONE:
            assert any(field.remote_field for field in apps.get_model(kind.model)._meta.local_concrete_fields)


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
