"""The template: a schema like a new tenant's, and its DDL for sign-ups.

A new set of migrations gets a new template, made from nothing. So a template never depends on
what the one before looked like, and a run that was killed leaves a schema that nobody names.
"""

from django.db import connection, transaction

from platform_site.binding import bind
from tenancy.migrating.history import Progress, apply_pending, migrations_fingerprint, tenant_apps
from tenancy.models import SchemaTemplate
from tenancy.provisioning.schemas import drop_schema, new_template_name, schema_ref
from tenancy.provisioning.snapshot import read_ddl


def template_is_current() -> bool:
    """Whether there is a template for the migrations that the code has."""
    return SchemaTemplate.objects.filter(pk=migrations_fingerprint()).exists()


def build_template(*, progress: Progress | None = None) -> SchemaTemplate:
    """Make the template for the code's migrations; it takes the place of the one before.

    Raises ``SnapshotRefused`` when a migration made what a sign-up could not copy; then the
    template before stays as it is.
    """
    ref = schema_ref(new_template_name())
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {connection.ops.quote_name(ref.schema_name)}")
    try:
        with bind(ref):
            apply_pending(tenant_apps(), progress=progress)
            ddl = read_ddl()
    except Exception:
        drop_schema(ref.schema_name)
        raise
    return _take_over(ref.schema_name, ddl)


@transaction.atomic
def _take_over(schema_name: str, ddl: str) -> SchemaTemplate:
    for former in SchemaTemplate.objects.all():
        drop_schema(former.template_schema)
        former.delete()
    return SchemaTemplate.objects.create(fingerprint=migrations_fingerprint(), template_schema=schema_name, ddl=ddl)
