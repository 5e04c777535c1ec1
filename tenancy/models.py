"""Tables of the public schema: tenants, their domains, the template's DDL, sign-up keys."""

from django.db import models
from django.db.models.functions import Lower, Now
from django_tenants.models import DomainMixin, TenantMixin

from platform_site.binding import TenantRef
from platform_site.fields import Uuid7Field
from platform_site.idempotency.models import IdempotencyFields
from platform_site.paid_access import PaidAccess


class Tenant(TenantMixin):
    """One customer organisation. ``slug`` is its public, changeable name; the schema's name never is."""

    class Status(models.TextChoices):
        PROVISIONING = "provisioning"
        ACTIVE = "active"
        SUSPENDED = "suspended"
        PENDING_DELETION = "pending_deletion"
        DELETED = "deleted"

    # Schemas are made by replaying the template and dropped by the deletion worker alone.
    auto_create_schema = False
    auto_drop_schema = False

    id = Uuid7Field(primary_key=True)
    name = models.CharField(max_length=100)
    slug = models.CharField(max_length=40, unique=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.PROVISIONING)
    suspended_reason = models.CharField(max_length=200, blank=True)
    plan = models.CharField(max_length=40, default="trial")
    timezone = models.CharField(max_length=64, default="UTC")
    locale = models.CharField(max_length=35, default="en")
    logo_url = models.CharField(max_length=500, blank=True)
    # Colours of the sign-in page by what they are for: {"primary": "#0f766e"}.
    colors = models.JSONField(default=dict, db_default={})
    # Fingerprint of the migrations its schema has; equals the code's when it is up to date.
    schema_fingerprint = models.CharField(max_length=64, blank=True)
    # What billing says about what was paid, as platform_site.paid_access reads it.
    read_only_from = models.DateTimeField(null=True, blank=True)
    blocked_from = models.DateTimeField(null=True, blank=True)
    access_reason = models.CharField(max_length=40, blank=True, default="", db_default="")
    # One more after each restore from a backup: numbers that clients were given may have gone back.
    data_epoch = models.PositiveIntegerField(default=1, db_default=1)
    # When it may be purged, why, and what it was before somebody asked for that.
    deletion_at = models.DateTimeField(null=True, blank=True)
    deletion_reason = models.CharField(max_length=200, blank=True, default="", db_default="")
    status_before_deletion = models.CharField(max_length=20, blank=True, default="", db_default="")
    # Since when nothing is left of it but this row; the purge goes on where it was until then.
    purged_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(slug=Lower("slug")), name="tenant_slug_lower"),
        ]
        indexes = [
            # The reaper's and the migrator's walk over what is not as it should be.
            models.Index(fields=["status", "created_at"], name="tenant_by_status"),
            # Staff's list, newest first.
            models.Index(fields=["-created_at", "-id"], name="tenant_newest"),
            # What is to be purged, among many that are not.
            models.Index(
                fields=["deletion_at"],
                name="tenant_purge",
                condition=models.Q(deletion_at__isnull=False, purged_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.slug

    def _check_schema_name_is_unique(self) -> None:
        """Left to the unique index: names are random and lower case.

        django-tenants compares without case, for which it reads every tenant at every sign-up.
        """

    @property
    def ref(self) -> TenantRef:
        access = PaidAccess(self.read_only_from, self.blocked_from, self.access_reason)
        return TenantRef(self.id, self.schema_name, self.slug, self.status, access)


class FormerSlug(models.Model):
    """A slug that a tenant gave up, by being renamed or by being purged: nobody else gets it until ``until``.

    While the tenant lives it is found under this one, too. Rows stay for as long as nobody takes the slug.
    """

    slug = models.CharField(max_length=40, primary_key=True)
    tenant_id = models.UUIDField()
    freed_at = models.DateTimeField()
    until = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["tenant_id"], name="former_slugs_of_tenant")]

    def __str__(self) -> str:
        return self.slug


class TenantMigration(models.Model):
    """What became of the last attempt to migrate a tenant. Whether it is up to date is told by its fingerprint."""

    class State(models.TextChoices):
        RUNNING = "running"  # or its worker was killed
        DONE = "done"
        FAILED = "failed"

    tenant_id = models.UUIDField(primary_key=True)
    # Of the release that it was brought to, or was to be.
    fingerprint = models.CharField(max_length=64)
    state = models.CharField(max_length=7, choices=State.choices)
    # Kind and first line.
    error = models.CharField(max_length=500, blank=True, default="")
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    seconds = models.FloatField(null=True)

    def __str__(self) -> str:
        return f"{self.state} {self.tenant_id}"


class Domain(DomainMixin):
    """A host name that belongs to a tenant. Requests are never routed by it."""


class SchemaTemplate(models.Model):
    """The DDL that makes a tenant's schema, read from the template schema after each migration."""

    fingerprint = models.CharField(max_length=64, primary_key=True)
    template_schema = models.CharField(max_length=63)
    ddl = models.TextField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    def __str__(self) -> str:
        return self.fingerprint


class RegistrationKey(IdempotencyFields):
    """The Idempotency-Key of a sign-up: it has no tenant to be stored in before it ends."""

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="registration_key_purge")]


class CacheEpoch(models.Model):
    """One row. Its number is part of every cached session's key; adding one forgets them all."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    epoch = models.BigIntegerField(default=1)

    def __str__(self) -> str:
        return f"epoch {self.epoch}"
