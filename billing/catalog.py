"""What billing adds to the platform's catalogues. Numbers 40 to 49 of the permissions are its own."""

from typing import Final

from accounts.seats import SeatRule, seat_rules
from billing import examining, setting_up
from billing.selectors.allowance import seat_allowance
from platform_site.action_items import ActionSource, action_sources
from platform_site.doctor.catalog import Examination, examinations
from platform_site.journal.keys import journal_key
from platform_site.permissions import permission
from platform_site.setup_tasks import SetupTask, setup_task
from platform_site.tenant_rows import AtPurge, AtRestore, TenantRows, tenant_rows
from tenancy.org_settings.registry import OrgSettingDefinition, org_setting

BILLING_MANAGE = permission("billing.manage", 40, "Buy, change and cancel the subscription", min_role="tenant_admin")

SUBSCRIPTION_STARTED = journal_key("billing.subscription_started", "The tenant subscribed to a plan")
SUBSCRIPTION_ENDED = journal_key("billing.subscription_ended", "The tenant's subscription ended")
PLAN_CHANGED = journal_key("billing.plan_changed", "The plan or its interval changed")
SEATS_CHANGED = journal_key("billing.seats_changed", "The number of seats that are paid for changed")
CANCELLATION_SCHEDULED = journal_key("billing.cancellation_scheduled", "The subscription will end with its period")
CANCELLATION_WITHDRAWN = journal_key("billing.cancellation_withdrawn", "The subscription goes on after all")
PAYMENT_FAILED = journal_key("billing.payment_failed", "A payment failed")
PAYMENT_RECOVERED = journal_key("billing.payment_recovered", "A payment that had failed came in")
PAYMENT_ACTION_REQUIRED = journal_key("billing.payment_action_required", "The bank wants a payment to be confirmed")
INVOICE_PAID = journal_key("billing.invoice_paid", "An invoice was paid")
RENEWAL_COMING = journal_key("billing.renewal_coming", "The subscription is about to renew", audited=False)
CARD_EXPIRING = journal_key("billing.card_expiring", "The card that is charged is about to expire", audited=False)
TRIAL_ENDING = journal_key("billing.trial_ending", "The trial ends in a few days")
SECOND_SUBSCRIPTION = journal_key("billing.second_subscription", "There is more than one subscription")
GRACE_EXTENDED = journal_key("billing.grace_extended", "Staff granted more time to pay")
COMPED = journal_key("billing.comped", "Staff made the workspace free of charge, or not any more")
CHECKOUT_STARTED = journal_key("billing.checkout_started", "Somebody went to pay")
CHARGE_DISPUTED = journal_key("billing.charge_disputed", "A charge was disputed or refunded")
SEATS_SHORT = journal_key("billing.seats_short", "More seats are used than are paid for")

# So long before its end a trial is announced.
TRIAL_NOTICE_DAYS: Final = 3

RELEASE_SEATS = org_setting(
    OrgSettingDefinition(
        key="billing.release_seats_at_renewal",
        label="Seats that nobody uses are given back when the subscription renews",
        kind="flag",
        default=lambda: False,
    )
)

seat_rules.add(SeatRule("billing", seat_allowance))
setup_task(
    SetupTask(
        code="billing.choose_plan",
        title="Choose a plan",
        description="The workspace goes on without a break when the trial ends.",
        category="billing",
        order=70,
        check=setting_up.plan_is_chosen,
        action_path="/billing",
        estimate_minutes=3,
        applies=setting_up.there_is_billing,
        advanced_by=(SUBSCRIPTION_STARTED, COMPED),
    )
)
action_sources.add(ActionSource("billing", setting_up.what_is_to_be_paid, needs=BILLING_MANAGE))
examinations.add(Examination("billing.key", examining.key))
examinations.add(Examination("billing.webhook", examining.webhook, ("billing.key",), timeout=60.0))
examinations.add(Examination("billing.catalogue", examining.prices, ("billing.key",), timeout=60.0))

tenant_rows.add(
    TenantRows(
        "billing.BillingAccount",
        "tenant",
        AtPurge.ANONYMISED,
        AtRestore.WHEN_GONE,
        "Stripe has the truth, and it did not go back in time.",
        why_purged="Bookkeeping needs what was bought, and the subscription has to be ended at Stripe.",
        values={"card_brand": "", "card_last4": "", "invoice_url": ""},
    )
)
tenant_rows.add(
    TenantRows(
        "billing.BillingChange",
        "account",
        AtPurge.KEPT,
        AtRestore.WHEN_GONE,
        "As the account that it belongs to.",
        why_purged="Bookkeeping needs who changed what.",
    )
)
tenant_rows.add(
    TenantRows(
        "billing.CheckoutAttempt",
        "account",
        AtPurge.REMOVED,
        AtRestore.WHEN_GONE,
        "As the account that it belongs to.",
    )
)
tenant_rows.add(
    TenantRows(
        "billing.StripeEvent",
        "tenant_id",
        AtPurge.ANONYMISED,
        AtRestore.LEFT_OUT,
        "The platform's record of what Stripe delivered. It outlives tenants, and what was served stays served.",
        why_purged="Its id keeps a second delivery from being a first one; it goes by itself after 90 days.",
        values={"payload": {}},
    )
)
