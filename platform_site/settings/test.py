"""What tests change, and nothing else."""

import os

# Four rounds of nothing: tests marked real_hasher bring the real one back.
PASSWORD_HASHERS = ["platform_site.passwords.FastTestHasher", "platform_site.passwords.Argon2idHasher"]
REDIS_PREFIX = os.environ.get("REDIS_PREFIX") or f"test-{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
ALLOWED_HOSTS = ["*"]
SECURE_SSL_REDIRECT = False
STATIC_ROOT = None
# No test talks to the real Stripe: only to one of its own, which it names.
if not os.environ.get("STRIPE_API_BASE"):
    STRIPE_SECRET_KEY, BILLING_CONFIGURED = "", False
WHITENOISE_USE_FINDERS = True
# Looked for when one is asked for: each client of a test loads the middleware anew, and would list all files.
WHITENOISE_AUTOREFRESH = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
