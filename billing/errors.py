"""What can go wrong with billing. What a workspace is told that was not paid for is 402."""

from platform_site.errors import error_code

TRIAL_EXPIRED = error_code("trial_expired", 402, "The trial of this workspace is over. Choose a plan.")
PAYMENT_PAST_DUE = error_code("payment_past_due", 402, "A payment for this workspace failed. Update the card.")
SUBSCRIPTION_CANCELED = error_code("subscription_canceled", 402, "The subscription of this workspace has ended.")
PAYMENT_DECLINED = error_code("payment_declined", 402, "The card was declined.")

UNKNOWN_PLAN = error_code("unknown_plan", 400, "There is no such plan.")
UNKNOWN_INTERVAL = error_code("unknown_interval", 400, "This plan is not sold for this interval.")
PLAN_NOT_PURCHASABLE = error_code("plan_not_purchasable", 400, "This plan cannot be bought here.")
QUANTITY_NOT_ALLOWED = error_code("quantity_not_allowed", 400, "This plan is not sold for so many seats.")
QUANTITY_BELOW_USED = error_code("quantity_below_used_seats", 409, "More seats are used than that.")
RETURN_PATH_INVALID = error_code("return_path_invalid", 400, "Give a path of the product, such as /billing.")

ALREADY_SUBSCRIBED = error_code("already_subscribed", 409, "This workspace has a subscription already.")
CHECKOUT_COMPLETED = error_code("checkout_completed", 409, "This checkout was completed already.")
NO_BILLING_ACCOUNT = error_code("no_billing_account", 409, "Nothing was bought yet. Choose a plan first.")
NO_SUBSCRIPTION = error_code("no_active_subscription", 409, "There is no subscription to do this with.")
NOT_RESUMABLE = error_code("not_resumable", 409, "There is no cancellation that could be taken back.")
SAME_PLAN = error_code("same_plan", 409, "This is the plan already.")
GRACE_ACTIVE = error_code("grace_active", 409, "An extension is running already.")

BILLING_NOT_CONFIGURED = error_code("billing_not_configured", 503, "Billing is not set up here.")
BILLING_PROVIDER_ERROR = error_code("billing_provider_error", 502, "The payment provider did not answer. Try again.")

WEBHOOK_SIGNATURE_INVALID = error_code("webhook_signature_invalid", 400, "The signature is not valid.")
WEBHOOK_BODY_INVALID = error_code("webhook_body_invalid", 400, "The body is not an event.")
