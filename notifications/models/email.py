"""How the company's mail looks, through which server it goes, and who gets none."""

from django.db import models
from django.db.models.functions import Now

from platform_site.fields import JsonField, Uuid7Field


class EmailSection(models.Model):
    """What was chosen in one section of the e-mail settings; what is not in ``value`` has its default."""

    key = models.CharField(max_length=20, primary_key=True)
    value = JsonField(default=dict)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.key


class SmtpServer(models.Model):
    """The tenant's own mail server, one row or none.

    The password is sealed for this tenant, host, port, user and security: with
    any of them changed it cannot be opened, so it is never shown to another server.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    enabled = models.BooleanField(default=True)
    host = models.CharField(max_length=253)
    port = models.PositiveIntegerField()
    username = models.CharField(max_length=254, blank=True)
    security = models.CharField(max_length=10)
    from_email = models.CharField(max_length=254)
    # While it is left alone, mail goes by the platform's server instead of waiting.
    fallback_to_platform = models.BooleanField(default=False)
    sealed_password = models.BinaryField(null=True)
    password_updated_at = models.DateTimeField(null=True)
    # The last successful test of exactly these values.
    verified_at = models.DateTimeField(null=True)
    last_test = JsonField(null=True)
    # Failures in a row that are the server's or the password's fault, not a recipient's.
    failures = models.PositiveIntegerField(default=0)
    # After too many it is left alone until then.
    paused_until = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class DomainCheck(models.Model):
    """What the DNS said about the sender's domain when it was last asked, one row or none."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    domain = models.CharField(max_length=253)
    result = JsonField(default=dict)
    # Grows while it stays wrong, so that nobody is asked for ever.
    tries = models.PositiveIntegerField(default=0)
    checked_at = models.DateTimeField(null=True)
    next_check_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.domain


class Suppression(models.Model):
    """An address that gets no mail from this tenant, or no optional one."""

    class Scope(models.TextChoices):
        ALL = "all"  # it bounced or complained
        OPTIONAL = "optional"  # somebody unsubscribed: what is mandatory still goes

    class Reason(models.TextChoices):
        HARD_BOUNCE = "hard_bounce"
        SOFT_BOUNCE = "soft_bounce"
        COMPLAINT = "complaint"
        UNSUBSCRIBED = "unsubscribed"
        MANUAL = "manual"

    id = Uuid7Field(primary_key=True)
    # A keyed hash of the normalised address: it outlives the person's erasure.
    address_hash = models.BinaryField()
    # For staff to read; "" once the person was erased.
    email = models.CharField(max_length=254, blank=True)
    scope = models.CharField(max_length=10, choices=Scope.choices)
    reason = models.CharField(max_length=20, choices=Reason.choices)
    detail = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    # Soft ones end by themselves.
    expires_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["address_hash", "scope"], name="suppression_once")]

    def __str__(self) -> str:
        return f"{self.reason} {self.id}"


class SoftBounce(models.Model):
    """One mail that an address refused for now; several within a week suppress it."""

    id = Uuid7Field(primary_key=True)
    address_hash = models.BinaryField()
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["address_hash", "at"], name="soft_bounce_of_address")]

    def __str__(self) -> str:
        return str(self.id)
