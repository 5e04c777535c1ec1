"""Making a schema at sign-up: the template's DDL in one round trip, in the caller's transaction.

A sign-up is one transaction, so that a crash at any point leaves nothing behind:

    template = current_template()
    with transaction.atomic():
        tenant = Tenant(schema_name=new_schema_name(), schema_fingerprint=template.fingerprint, ...)
        tenant.save(force_insert=True)          # the unique slug decides a race, before any work
        create_schema(schema_name=tenant.schema_name, template=template)
        with bind(tenant.ref):
            ...                                 # the first person, settings, the journal entry

Inserting the row first matters: twenty sign-ups for one slug wait for the first of them on
the unique index and fail there, without having made a schema.
"""

import structlog
from django.db import connection

from platform_site.binding import BindingError
from platform_site.errors import PlatformError
from tenancy.errors import TENANT_PROVISIONING
from tenancy.migrating.history import migrations_fingerprint
from tenancy.models import SchemaTemplate
from tenancy.provisioning.locks import RETRY_SECONDS, enter_sign_up
from tenancy.provisioning.schemas import new_schema_name

__all__ = ["create_schema", "current_template", "new_schema_name"]

log = structlog.get_logger(__name__)
_templates: dict[str, SchemaTemplate] = {}


def current_template() -> SchemaTemplate:
    """The template for the migrations that this code has; read once per process.

    Raises ``PlatformError(TENANT_PROVISIONING)`` when there is none: nothing was migrated yet, or
    a deployment is under way and this process still runs the code before it.
    """
    fingerprint = migrations_fingerprint()
    if fingerprint not in _templates:
        template = SchemaTemplate.objects.filter(pk=fingerprint).first()
        if template is None:
            log.error("tenancy.no_template", fingerprint=fingerprint, hint="manage.py migrate_all")
            raise PlatformError(TENANT_PROVISIONING, retry_after=RETRY_SECONDS)
        _templates[fingerprint] = template
    return _templates[fingerprint]


def create_schema(*, schema_name: str, template: SchemaTemplate) -> None:
    """Make the schema and all that the template holds, in the caller's transaction.

    Holds one of four slots, and keeps deployments out, until that transaction ends. Raises
    ``PlatformError(TENANT_PROVISIONING)`` while a deployment is under way and when it has replaced
    ``template`` since it was read; ``BindingError`` outside a transaction.
    """
    if not connection.in_atomic_block:
        raise BindingError("A schema is made in the transaction that makes its tenant.")
    enter_sign_up(schema_name)
    if not SchemaTemplate.objects.filter(pk=template.fingerprint).exists():
        _templates.pop(template.fingerprint, None)
        raise PlatformError(TENANT_PROVISIONING, retry_after=RETRY_SECONDS)
    with connection.cursor() as cursor:
        # A function of the tables' owner, who alone may make a schema: it takes the script from the template's row.
        cursor.execute("SELECT public.tenancy_create_schema(%s, %s)", [schema_name, template.fingerprint])
