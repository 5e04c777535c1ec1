"""Sign-up: a company, its schema and its first administrator in one transaction.

Stands above accounts, because it makes the first person of a tenant. Whatever
goes wrong, and wherever the process dies, either all of it exists or nothing.
"""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.db import IntegrityError, transaction

from accounts import catalog as accounts_catalog
from accounts.models import LinkToken, User
from accounts.roles import Role
from accounts.services.links import link_create
from accounts.services.passwords import password_check, password_hash
from accounts.services.people import user_create
from accounts.services.sessions import Tokens, session_start
from platform_site.binding import bind
from platform_site.errors import invalid_field
from platform_site.journal.services import record
from tenancy import catalog, errors
from tenancy.models import SchemaTemplate, Tenant
from tenancy.provisioning.replay import create_schema, current_template, new_schema_name
from tenancy.slugs import slug_is_kept_back, slug_is_taken, slug_normalized, slug_refusal


@dataclass(frozen=True, slots=True)
class Administrator:
    """``password`` will be a hash: it is made in another thread."""

    email: str
    first_name: str
    last_name: str
    password: Future[str]


@dataclass(frozen=True, slots=True)
class Registered:
    """``tokens`` are None when the address has to be confirmed before the first sign-in."""

    tenant: Tenant
    user: User
    tokens: Tokens | None


def tenant_register(
    *,
    company_name: str,
    slug: str,
    admin_email: str,
    admin_password: str,
    admin_first_name: str = "",
    admin_last_name: str = "",
) -> Registered:
    """Make a tenant with its first ``tenant_admin``.

    Raises ``password_…``, ``slug_invalid``, ``slug_reserved``, ``slug_taken``
    with the field in the details, or ``tenant_provisioning`` while the
    platform is being migrated. A slug is refused after as many hashes as one
    that is free is accepted after: one.
    """
    slug = slug_normalized(slug)
    context = [company_name, slug, admin_email, admin_first_name, admin_last_name, settings.PRODUCT_NAME]
    password_check(admin_password, field="adminPassword", context=context)
    # Argon2id takes as long as all that PostgreSQL does here, so the two work side by side.
    hashed = _hashers().submit(password_hash, admin_password)
    try:
        return _register(company_name, slug, Administrator(admin_email, admin_first_name, admin_last_name, hashed))
    finally:
        wait([hashed])


def _register(company_name: str, slug: str, admin: Administrator) -> Registered:
    refusal = slug_refusal(slug)
    if refusal is not None:
        raise invalid_field("slug", refusal)
    _refuse_taken(slug)
    template = current_template()
    with transaction.atomic():
        tenant = _tenant_create(company_name, slug, template)
        create_schema(schema_name=tenant.schema_name, template=template)
        with bind(tenant.ref):
            return _first_administrator(tenant, admin)


@cache
def _hashers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(settings.PASSWORD_HASHES_AT_ONCE, thread_name_prefix="hash")


def _refuse_taken(slug: str) -> None:
    """Spares a taken slug the schema; the unique index is what decides."""
    if slug_is_taken(slug):
        raise invalid_field("slug", errors.SLUG_TAKEN)


def _tenant_create(name: str, slug: str, template: SchemaTemplate) -> Tenant:
    tenant = Tenant(
        name=name,
        slug=slug,
        schema_name=new_schema_name(),
        status=Tenant.Status.ACTIVE,
        schema_fingerprint=template.fingerprint,
    )
    try:
        with transaction.atomic():
            tenant.save(force_insert=True)
    except IntegrityError as error:
        if "slug" in str(error):
            raise invalid_field("slug", errors.SLUG_TAKEN) from None
        raise
    # Whoever gave it up since we looked has committed before our row could be written.
    if slug_is_kept_back(slug):
        raise invalid_field("slug", errors.SLUG_TAKEN)
    tenant.refresh_from_db(fields=["created_at"])
    return tenant


def _first_administrator(tenant: Tenant, admin: Administrator) -> Registered:
    user = user_create(
        role=Role.TENANT_ADMIN,
        email=admin.email,
        first_name=admin.first_name,
        last_name=admin.last_name,
    )
    link_create(user=user, kind=LinkToken.Kind.VERIFY_EMAIL)
    subject = ("user", user.uuid)
    record(catalog.TENANT_REGISTERED, subject=("tenant", tenant.id), actor_id=user.uuid, data={"slug": tenant.slug})
    record(accounts_catalog.USER_REGISTERED, subject=subject, actor_id=user.uuid)
    tokens = None if settings.REQUIRE_VERIFIED_EMAIL else session_start(user=user)
    user.password = admin.password.result()
    user.save(update_fields=["password"])
    return Registered(tenant, user, tokens)
