"""Billing through Stripe. Without a key everything but paying works."""

from platform_site.settings import env
from platform_site.settings.base import BASE_DIR

# sk_live_..., sk_test_... or a restricted key. Empty: there is no billing, and nobody is asked to pay.
STRIPE_SECRET_KEY = env.secret("STRIPE_SECRET_KEY")
BILLING_CONFIGURED = bool(STRIPE_SECRET_KEY)
# Secrets of the webhook endpoint, newest first; two while one takes the other's place.
STRIPE_WEBHOOK_SECRETS = [part.strip() for part in env.secret("STRIPE_WEBHOOK_SECRETS").split(",") if part.strip()]
# Where Stripe's API is; empty: where Stripe says. Development and tests have a server of their own.
STRIPE_API_BASE = env.text("STRIPE_API_BASE").rstrip("/")
# How long one call of Stripe may take, in seconds.
STRIPE_TIMEOUT_SECONDS = env.integer("STRIPE_TIMEOUT_SECONDS", 10, minimum=1)
# Whether Stripe works out taxes, which has to be set up there first.
STRIPE_AUTOMATIC_TAX = env.flag("STRIPE_AUTOMATIC_TAX")

# What is sold: a YAML file as billing/plans.yaml.
BILLING_PLANS = env.text("BILLING_PLANS", str(BASE_DIR / "billing" / "plans.yaml"))
# A new workspace may try everything for so many days, without a card.
BILLING_TRIAL_DAYS = env.integer("BILLING_TRIAL_DAYS", 14)
# After the first payment that failed all works on for so many days ...
BILLING_GRACE_DAYS = env.integer("BILLING_GRACE_DAYS", 7)
# ... then everything can be read for so many, and after that only billing and export work.
BILLING_READ_ONLY_DAYS = env.integer("BILLING_READ_ONLY_DAYS", 30)
