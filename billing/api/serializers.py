"""What billing takes and shows."""

from rest_framework import serializers

from billing.models import BillingAccount
from billing.plans import INTERVALS
from billing.services.subscriptions import FEEDBACK
from platform_site.api.serializers import FreeMap, Lines, Moment, Shape, Text, Whole, YesNo

ACCESS_LEVELS = ["full", "read_only", "blocked"]
SEAT_MODES = ["per_seat", "included", "unlimited"]
CANCEL_MODES = ["period_end", "now"]
FLOWS = ["payment_method_update", "subscription_cancel", "subscription_update"]
INVOICE_STATUSES = ["draft", "open", "paid", "uncollectible", "void"]
STATUSES = BillingAccount.Status.values
MOST_SEATS = 1_000_000


class PlanPricesOutput(Shape):
    monthly = Whole(required=False)
    yearly = Whole(required=False)


class PlanSeatsOutput(Shape):
    mode = serializers.ChoiceField(choices=SEAT_MODES)
    included = Whole(allow_null=True)
    min = Whole(allow_null=True)
    max = Whole(allow_null=True)


class PlanOutput(Shape):
    id = Text()
    name = Text()
    description = Text(allow_blank=True)
    currency = Text()
    prices = PlanPricesOutput()
    seats = PlanSeatsOutput()
    features = serializers.ListField(child=Text())
    limits = FreeMap()
    purchasable = YesNo()


class CurrentPlanOutput(Shape):
    id = Text()
    name = Text()
    interval = serializers.ChoiceField(choices=INTERVALS, allow_null=True)
    currency = Text(allow_null=True)
    unit_amount = Whole(allow_null=True)
    features = serializers.ListField(child=Text())
    limits = FreeMap()


class SeatsOutput(Shape):
    mode = serializers.ChoiceField(choices=SEAT_MODES)
    purchased = Whole(allow_null=True)
    used = Whole()
    pending = Whole()
    available = Whole(allow_null=True)
    over_by = Whole()


class TrialOutput(Shape):
    active = YesNo()
    started_at = Moment(allow_null=True)
    ends_at = Moment(allow_null=True)
    days_left = Whole()
    has_payment_method = YesNo()


class BillingPeriodOutput(Shape):
    start = Moment(allow_null=True)
    end = Moment(allow_null=True)


class CancellationOutput(Shape):
    scheduled = YesNo()
    effective_at = Moment(allow_null=True)
    can_resume = YesNo()


class BillingPaymentOutput(Shape):
    past_due_since = Moment(allow_null=True)
    grace_ends_at = Moment(allow_null=True)
    next_attempt_at = Moment(allow_null=True)
    last4 = Text(allow_null=True)
    invoice_url = Text(allow_null=True)


class PendingChangeOutput(Shape):
    plan_id = Text()
    interval = serializers.ChoiceField(choices=INTERVALS, allow_null=True)
    quantity = Whole(allow_null=True)
    effective_at = Moment(allow_null=True)


class BillingStatusOutput(Shape):
    configured = YesNo()
    plan = CurrentPlanOutput(allow_null=True)
    status = serializers.ChoiceField(choices=STATUSES)
    stripe_status = Text(allow_null=True)
    access = serializers.ChoiceField(choices=ACCESS_LEVELS)
    access_reason = Text(allow_null=True)
    seats = SeatsOutput()
    trial = TrialOutput()
    period = BillingPeriodOutput()
    cancellation = CancellationOutput()
    payment = BillingPaymentOutput()
    pending_change = PendingChangeOutput(allow_null=True)
    duplicate = YesNo()
    can_manage = YesNo()
    updated_at = Moment()


class SelectionInput(Shape):
    plan_id = Text(max_length=40)
    interval = Text(max_length=10)
    quantity = Whole(required=False, min_value=1, max_value=MOST_SEATS)


class CheckoutInput(SelectionInput):
    success_path = Text(required=False, allow_blank=True, max_length=500)
    cancel_path = Text(required=False, allow_blank=True, max_length=500)


class CheckoutOutput(Shape):
    url = Text()
    session_id = Text()
    expires_at = Moment()


class PortalInput(Shape):
    return_path = Text(required=False, allow_blank=True, max_length=500)
    flow = serializers.ChoiceField(choices=FLOWS, required=False)


class PortalOutput(Shape):
    url = Text()


class CancelInput(Shape):
    mode = serializers.ChoiceField(choices=CANCEL_MODES, required=False)
    feedback = serializers.ChoiceField(choices=FEEDBACK, required=False)
    reason = Lines(required=False, allow_blank=True, max_length=500)


class ChangePlanInput(SelectionInput):
    preview = YesNo(required=False)


class PlanChangeOutput(Shape):
    preview = YesNo()
    effective_at = Moment()
    # What is charged at once, in the currency's smallest unit; only a preview knows it.
    amount_due = Whole(allow_null=True)
    currency = Text(allow_null=True)
    status = BillingStatusOutput()


class InvoiceOutput(Shape):
    id = Text()
    number = Text(allow_null=True)
    status = serializers.ChoiceField(choices=INVOICE_STATUSES, allow_null=True)
    amount_due = Whole()
    amount_paid = Whole()
    currency = Text()
    created_at = Moment()
    url = Text(allow_null=True)
    pdf_url = Text(allow_null=True)


class InvoicesMeta(Shape):
    has_more = YesNo()


class WebhookReceivedOutput(Shape):
    received = YesNo()
    duplicate = YesNo()
