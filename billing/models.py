"""Tables of the public schema: what each tenant buys, what Stripe told us, and what was changed by whom."""

from django.db import models
from django.db.models.functions import Now

from platform_site.fields import Uuid7Field
from tenancy.models import Tenant


class BillingAccount(models.Model):
    """What a tenant buys. Everything of it that Stripe knows is overwritten whole by ``services.syncing``.

    A tenant without a row is one in its trial: rows are made when they are first needed.
    """

    class Status(models.TextChoices):
        NONE = "none"
        TRIALING = "trialing"
        ACTIVE = "active"
        PAST_DUE = "past_due"
        UNPAID = "unpaid"
        PAUSED = "paused"
        CANCELED = "canceled"
        INCOMPLETE = "incomplete"
        COMPED = "comped"

    tenant = models.OneToOneField(Tenant, models.CASCADE, primary_key=True, related_name="billing")
    # Of the trial that needs no card and no Stripe.
    trial_started_at = models.DateTimeField(null=True, blank=True)
    trial_ends_at = models.DateTimeField(null=True, blank=True)
    # The end for which it was said already that it comes near.
    trial_notice_for = models.DateTimeField(null=True, blank=True)

    customer_id = models.CharField(max_length=64, null=True, blank=True, unique=True)
    card_brand = models.CharField(max_length=20, blank=True)
    card_last4 = models.CharField(max_length=4, blank=True)

    subscription_id = models.CharField(max_length=64, blank=True)
    # Stripe's own word; "" without a subscription.
    stripe_status = models.CharField(max_length=20, blank=True)
    item_id = models.CharField(max_length=64, blank=True)
    price_id = models.CharField(max_length=64, blank=True)
    # "legacy" for a price that the catalogue does not know.
    plan_id = models.CharField(max_length=40, blank=True)
    interval = models.CharField(max_length=10, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    unit_amount = models.BigIntegerField(null=True, blank=True)
    seats_purchased = models.PositiveIntegerField(null=True, blank=True)
    # Of Stripe's trial.
    stripe_trial_ends_at = models.DateTimeField(null=True, blank=True)
    period_start = models.DateTimeField(null=True, blank=True)
    period_end = models.DateTimeField(null=True, blank=True)
    cancel_at = models.DateTimeField(null=True, blank=True)
    canceled_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    schedule_id = models.CharField(max_length=64, blank=True)
    pending_plan_id = models.CharField(max_length=40, blank=True)
    pending_interval = models.CharField(max_length=10, blank=True)
    pending_seats = models.PositiveIntegerField(null=True, blank=True)
    pending_at = models.DateTimeField(null=True, blank=True)

    latest_invoice_id = models.CharField(max_length=64, blank=True)
    latest_invoice_status = models.CharField(max_length=20, blank=True)
    invoice_url = models.TextField(blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    # Since the first payment that failed; set once, gone with the payment.
    past_due_since = models.DateTimeField(null=True, blank=True)
    # Since when nothing covers the use any more: ended, paused, or never paid.
    lapsed_at = models.DateTimeField(null=True, blank=True)
    # What staff granted beyond the days that everybody has.
    grace_until = models.DateTimeField(null=True, blank=True)
    # Free of charge, by staff; without an end when comped_until is empty.
    is_comped = models.BooleanField(default=False)
    comped_until = models.DateTimeField(null=True, blank=True)
    # Live subscriptions besides the one that counts: somebody pays twice.
    other_subscriptions = models.JSONField(default=list)
    # Cancelled because staff suspended the tenant; taken back when it is reactivated.
    canceled_for_suspension = models.BooleanField(default=False)
    livemode = models.BooleanField(default=False)
    # What of the newest invoice people were told already: "paid:in_1", "action:in_1".
    told = models.JSONField(default=list)

    synced_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        indexes = [
            # The hourly walk over trials that are about to end.
            models.Index(fields=["trial_ends_at"], name="billing_trial_ending"),
            # Whose subscription an event is about that names no customer.
            models.Index(fields=["subscription_id"], name="billing_by_subscription"),
        ]

    def __str__(self) -> str:
        return f"billing of {self.tenant_id}"


class StripeEvent(models.Model):
    """One event as it was delivered. Its row is what makes a second delivery a second delivery."""

    class Status(models.TextChoices):
        RECEIVED = "received"
        PROCESSED = "processed"
        # Nothing to be done about it: an unknown type, or another mode than ours.
        IGNORED = "ignored"
        FAILED = "failed"
        # It is about nobody whom we know.
        UNMATCHED = "unmatched"

    id = models.CharField(max_length=255, primary_key=True)
    type = models.CharField(max_length=100)
    api_version = models.CharField(max_length=40, blank=True)
    livemode = models.BooleanField()
    created = models.DateTimeField()
    received_at = models.DateTimeField(db_default=Now(), editable=False)
    tenant_id = models.UUIDField(null=True, blank=True)
    customer_id = models.CharField(max_length=64, blank=True)
    object_id = models.CharField(max_length=255, blank=True)
    payload = models.JSONField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RECEIVED)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=200, blank=True)
    processed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            # Staff's list, newest first, and of one status.
            models.Index(fields=["-received_at"], name="stripe_event_newest"),
            models.Index(fields=["status", "-received_at"], name="stripe_event_by_status"),
            models.Index(fields=["tenant_id", "-received_at"], name="stripe_event_of_tenant"),
        ]

    def __str__(self) -> str:
        return self.id


class CheckoutAttempt(models.Model):
    """One try to buy. Its key is stored before Stripe is asked, so that a repeat after a timeout is the same try."""

    class Status(models.TextChoices):
        OPEN = "open"
        COMPLETE = "complete"
        EXPIRED = "expired"

    id = Uuid7Field(primary_key=True)
    account = models.ForeignKey(BillingAccount, models.CASCADE, related_name="checkouts")
    plan_id = models.CharField(max_length=40)
    interval = models.CharField(max_length=10)
    quantity = models.PositiveIntegerField()
    # Where the customer comes back to; part of what makes two tries the same.
    success_path = models.CharField(max_length=500, blank=True)
    cancel_path = models.CharField(max_length=500, blank=True)
    # "" until Stripe has answered. The URL is a bearer's, of short life, and never logged.
    session_id = models.CharField(max_length=255, blank=True)
    url = models.TextField(blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    # The language of whoever tried first: a repeat under the same key has to say the same.
    locale = models.CharField(max_length=35, blank=True)
    created_by = models.UUIDField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=models.Q(status="open"), name="one_open_checkout_of_a_tenant"
            )
        ]
        indexes = [models.Index(fields=["session_id"], name="checkout_by_session")]

    def __str__(self) -> str:
        return f"{self.plan_id} {self.interval} x {self.quantity}"


class BillingChange(models.Model):
    """Who changed what about a tenant's billing, for staff: only ever added to."""

    id = Uuid7Field(primary_key=True)
    account = models.ForeignKey(BillingAccount, models.CASCADE, related_name="changes")
    # "extended_grace", "comped", "changed_seats", "canceled" ...
    kind = models.CharField(max_length=40)
    # Who, as text: a person's id, a staff member's address, or what did it by itself.
    by = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=500, blank=True)
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes = [models.Index(fields=["account", "-created_at"], name="billing_changes_newest")]

    def __str__(self) -> str:
        return f"{self.kind} by {self.by}"
