"""``/billing``: what a tenant buys, and the way to pay for it."""

from typing import ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from billing import errors
from billing.api import examples
from billing.api.serializers import (
    BillingStatusOutput,
    CancelInput,
    ChangePlanInput,
    CheckoutInput,
    CheckoutOutput,
    InvoiceOutput,
    InvoicesMeta,
    PlanChangeOutput,
    PlanOutput,
    PortalInput,
    PortalOutput,
)
from billing.catalog import BILLING_MANAGE
from billing.models import BillingAccount
from billing.presenting import present_checkout, present_invoice, present_plan, present_status
from billing.selectors.accounts import account_of
from billing.selectors.invoices import invoices_of
from billing.selectors.status import billing_status, public_plans
from billing.services.checkout import checkout_start
from billing.services.portal import portal_url
from billing.services.selecting import selection_of
from billing.services.subscriptions import plan_change, subscription_cancel, subscription_resume
from billing.services.syncing import account_sync
from billing.stripe_api import stripe_api
from platform_site.api.docs import operation, query
from platform_site.api.pagination import single_parameter, whole_parameter
from platform_site.api.permissions import Needs, Public, SignedIn
from platform_site.api.renderers import Listed
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView
from platform_site.errors import RATE_LIMITED
from platform_site.limits import spend
from platform_site.moments import wire_time

NEEDS_STRIPE = [errors.BILLING_NOT_CONFIGURED, errors.BILLING_PROVIDER_ERROR, RATE_LIMITED]
SELECTION = [
    errors.UNKNOWN_PLAN,
    errors.UNKNOWN_INTERVAL,
    errors.PLAN_NOT_PURCHASABLE,
    errors.QUANTITY_NOT_ALLOWED,
    errors.QUANTITY_BELOW_USED,
]


class BillingView(ApiView):
    """What all of these share: they work whatever was paid, and those that ask Stripe are counted."""

    when_unpaid = WhenUnpaid.ALWAYS

    def goes_to_stripe(self) -> None:
        """Before anything else: is there billing here? Calls are counted for the tenant, which is one customer."""
        stripe_api()
        self._spent = [*self._spent, spend("billing_tenant", str(self.identity.tenant.id))]

    def status(self, account: BillingAccount | None = None) -> dict[str, object]:
        manages = BILLING_MANAGE.key in self.identity.permissions
        return present_status(billing_status(account), manages=manages)

    @property
    def by(self) -> str:
        return str(self.identity.user_uuid)


class StatusView(BillingView):
    access = SignedIn()

    @operation(
        id="billing_status",
        summary="Plan, seats, trial and payment of the workspace",
        description="Of what is stored here; Stripe is not asked, so it answers when Stripe does not. `access` is what"
        " the workspace may do: `full`, `read_only` (changes answer 402), or `blocked` (only signing in, billing and"
        " export work). Amounts, the card and the open invoice are shown to those who may buy.",
        output=BillingStatusOutput,
        example=examples.STATUS,
    )
    def get(self, request: Request) -> Response:
        return Response(self.status())


class PlansView(BillingView):
    access = Public()

    @operation(
        id="billing_plans",
        summary="What is sold",
        description="Amounts are in the smallest unit of the currency, for one seat where seats are counted. A plan"
        " that is not `purchasable` is sold elsewhere.",
        output=PlanOutput,
        example=examples.PLAN,
        listed="all",
    )
    def get(self, request: Request) -> Response:
        return Response([present_plan(plan) for plan in public_plans()])


class CheckoutView(BillingView):
    access = Needs(BILLING_MANAGE, person=True)

    @operation(
        id="billing_checkout",
        summary="Go to pay for a plan",
        description="Gives the address of a page of Stripe's, for a day. The same selection again gives the same page,"
        " whoever asks; another selection takes its place. Without `quantity` as many seats as are used. What is left"
        " of the trial stays free. While a subscription is there, the portal is where to go.",
        input=CheckoutInput,
        output=CheckoutOutput,
        example_in={"planId": "pro", "interval": "monthly"},
        example=examples.CHECKOUT,
        errors=[
            *SELECTION,
            errors.RETURN_PATH_INVALID,
            errors.ALREADY_SUBSCRIBED,
            errors.CHECKOUT_COMPLETED,
            *NEEDS_STRIPE,
        ],
    )
    def post(self, request: Request) -> Response:
        data = self.read(CheckoutInput)
        self.goes_to_stripe()
        user = User.objects.get(id=self.identity.user_id)
        selection = selection_of(**data)
        attempt = checkout_start(tenant_id=self.identity.tenant.id, user=user, selection=selection)
        return Response(present_checkout(attempt))


class PortalView(BillingView):
    access = Needs(BILLING_MANAGE, person=True)

    @operation(
        id="billing_portal",
        summary="Go to manage card, invoices and subscription",
        description="Gives the address of a page of Stripe's that is open for a few minutes to whoever has it. With"
        " `flow` it leads to one thing to do.",
        input=PortalInput,
        output=PortalOutput,
        example_in={"returnPath": "/billing"},
        example={"url": "https://billing.stripe.com/p/session/test_YWNjdF8x"},
        errors=[errors.RETURN_PATH_INVALID, errors.NO_BILLING_ACCOUNT, errors.NO_SUBSCRIPTION, *NEEDS_STRIPE],
    )
    def post(self, request: Request) -> Response:
        data = self.read(PortalInput)
        self.goes_to_stripe()
        return Response({"url": portal_url(account=account_of(tenant_id=self.identity.tenant.id), **data)})


class CancelView(BillingView):
    access = Needs(BILLING_MANAGE, person=True)

    @operation(
        id="billing_cancel",
        summary="Cancel the subscription",
        description="With its period (`period_end`, unless said otherwise), or `now`. What is not paid for ends at"
        " once. A trial without a subscription ends only `now`. Again is fine.",
        input=CancelInput,
        output=BillingStatusOutput,
        example_in={"mode": "period_end", "feedback": "too_expensive"},
        example=examples.CANCELED,
        errors=[errors.NO_SUBSCRIPTION, *NEEDS_STRIPE],
    )
    def post(self, request: Request) -> Response:
        data = self.read(CancelInput)
        self.goes_to_stripe()
        account = subscription_cancel(
            tenant_id=self.identity.tenant.id,
            mode=data.get("mode", "period_end"),
            feedback=data.get("feedback", ""),
            comment=data.get("reason", ""),
            by=self.by,
        )
        return Response(self.status(account))


class ResumeView(BillingView):
    access = Needs(BILLING_MANAGE, person=True)

    @operation(
        id="billing_resume",
        summary="Take a cancellation back",
        description="Until it takes effect.",
        output=BillingStatusOutput,
        example=examples.STATUS,
        errors=[errors.NOT_RESUMABLE, *NEEDS_STRIPE],
    )
    def post(self, request: Request) -> Response:
        self.goes_to_stripe()
        return Response(self.status(subscription_resume(tenant_id=self.identity.tenant.id, by=self.by)))


class ChangePlanView(BillingView):
    access = Needs(BILLING_MANAGE, person=True)

    @operation(
        id="billing_change_plan",
        summary="Another plan, interval or number of seats",
        description="What costs more takes effect at once and is charged for the rest of the period; what costs less"
        " takes effect when the period ends, and stands in `pendingChange` until then. With `preview` nothing changes"
        " and `amountDue` says what would be charged at once.",
        input=ChangePlanInput,
        output=PlanChangeOutput,
        example_in={"planId": "pro", "interval": "yearly", "preview": True},
        example={
            "preview": True,
            "effectiveAt": "2026-11-28T09:30:00.000Z",
            "amountDue": 57600,
            "currency": "usd",
            "status": examples.STATUS,
        },
        errors=[
            *SELECTION,
            errors.NO_SUBSCRIPTION,
            errors.SAME_PLAN,
            errors.PAYMENT_DECLINED,
            *NEEDS_STRIPE,
        ],
    )
    def post(self, request: Request) -> Response:
        data = self.read(ChangePlanInput)
        self.goes_to_stripe()
        preview = data.pop("preview", False)
        selection = selection_of(**data)
        change = plan_change(tenant_id=self.identity.tenant.id, selection=selection, preview=preview, by=self.by)
        shown = {
            "preview": preview,
            "effectiveAt": wire_time(change.effective_at),
            "amountDue": change.amount_due if preview else None,
            "currency": change.currency or None,
        }
        return Response({**shown, "status": self.status(change.account)})


class SyncView(BillingView):
    access = Needs(BILLING_MANAGE, person=True)

    @operation(
        id="billing_sync",
        summary="Ask Stripe how things are",
        description="For the page that somebody comes back to from paying: Stripe's own message may take a moment.",
        output=BillingStatusOutput,
        example=examples.STATUS,
        errors=NEEDS_STRIPE,
    )
    def post(self, request: Request) -> Response:
        self.goes_to_stripe()
        return Response(self.status(account_sync(tenant_id=self.identity.tenant.id)))


class InvoicesView(BillingView):
    access = Needs(BILLING_MANAGE, person=True)
    parameters: ClassVar = {"GET": ("limit", "startingAfter")}

    @operation(
        id="billing_invoices",
        summary="Invoices, newest first",
        description="Read from Stripe. `startingAfter` is the id of the last one that was shown.",
        output=InvoiceOutput,
        example=examples.INVOICE,
        listed="all",
        meta=InvoicesMeta,
        parameters=[
            query("limit", {"type": "integer", "minimum": 1, "maximum": 100, "default": 20}),
            query("startingAfter", {"type": "string", "pattern": "^in_[A-Za-z0-9_]{1,60}$"}, example="in_1Qa2b3c4d5"),
        ],
        errors=NEEDS_STRIPE,
    )
    def get(self, request: Request) -> Response:
        limit = whole_parameter(request, "limit", default=20, maximum=100)
        after = single_parameter(request, "startingAfter")
        self.goes_to_stripe()
        invoices, more = invoices_of(tenant_id=self.identity.tenant.id, limit=limit, starting_after=after)
        return Listed([present_invoice(one) for one in invoices], {"hasMore": more})
