"""Secrets, tokens, passwords and what the browser is told."""

from django.core.exceptions import ImproperlyConfigured

from platform_site.settings import env
from platform_site.settings.base import DEBUG

SECRET_KEY = env.secret("SECRET_KEY")
if not SECRET_KEY:
    raise ImproperlyConfigured(
        "SECRET_KEY is not set. `make run` makes one for the embedded database;"
        " with a DATABASE_URL of your own, set it as .env.example shows."
    )
SECRET_KEY_FALLBACKS = [key for key in [env.secret("SECRET_KEY_FALLBACK")] if key]

# "kid:key,kid:key", newest first. Access tokens, derived link and refresh
# secrets, and encryption at rest each have a ring of their own.
JWT_KEYS = env.keyring("JWT_KEYS")
TOKEN_KEYS = env.keyring("TOKEN_KEYS")
ENCRYPTION_KEYS = env.keyring("ENCRYPTION_KEYS")

ACCESS_TOKEN_SECONDS = env.integer("ACCESS_TOKEN_SECONDS", 600, minimum=30)
REFRESH_GRACE_SECONDS = env.integer("REFRESH_GRACE_SECONDS", 10)
SESSION_IDLE_SECONDS = env.integer("SESSION_IDLE_SECONDS", 7 * 86400, minimum=60)
SESSION_ABSOLUTE_SECONDS = env.integer("SESSION_ABSOLUTE_SECONDS", 30 * 86400, minimum=60)
SESSIONS_PER_USER = env.integer("SESSIONS_PER_USER", 20, minimum=1)
VERIFY_EMAIL_SECONDS = env.integer("VERIFY_EMAIL_SECONDS", 3 * 86400, minimum=60)
RESET_PASSWORD_SECONDS = env.integer("RESET_PASSWORD_SECONDS", 3600, minimum=60)
INVITATION_SECONDS = env.integer("INVITATION_SECONDS", 7 * 86400, minimum=60)
# How long ago a person may have proved who is there, for what cannot be undone.
REAUTH_SECONDS = env.integer("REAUTH_SECONDS", 300, minimum=30)
REQUIRE_VERIFIED_EMAIL = env.flag("REQUIRE_VERIFIED_EMAIL")

SIMPLE_JWT = {
    "ALGORITHM": "HS256",
    "SIGNING_KEY": JWT_KEYS[0][1] if JWT_KEYS else "",
    "ISSUER": env.text("JWT_ISSUER", "core-platform"),
    "AUDIENCE": env.text("JWT_AUDIENCE", "core-platform-api"),
    "LEEWAY": 5,
    "TOKEN_TYPE_CLAIM": "typ",
    "JTI_CLAIM": "jti",
    "USER_ID_CLAIM": "sub",
}

PASSWORD_HASHERS = ["platform_site.passwords.Argon2idHasher"]
PASSWORD_MIN_LENGTH = env.integer("PASSWORD_MIN_LENGTH", 8, minimum=8)
PASSWORD_MAX_LENGTH = 128
# How many passwords are hashed at once in one process: each takes 19 MiB.
PASSWORD_HASHES_AT_ONCE = env.integer("PASSWORD_HASHES_AT_ONCE", 4, minimum=1)

# The staff sign-in of the admin.
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "/admin/login/"
# How long staff may change things in a tenant after they said why.
STAFF_SESSION_MINUTES = env.integer("STAFF_SESSION_MINUTES", 60, minimum=1)
# How long is kept what staff did, and the longest that any tenant's journal is; 0 for as long as each tenant says.
STAFF_AUDIT_DAYS = env.integer("STAFF_AUDIT_DAYS", 730, minimum=1)
JOURNAL_RETENTION_DAYS = env.integer("JOURNAL_RETENTION_DAYS", 0, minimum=0)

ALLOWED_HOSTS = env.words("ALLOWED_HOSTS") or (["*"] if DEBUG else [])
CSRF_TRUSTED_ORIGINS = env.words("CSRF_TRUSTED_ORIGINS")

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if not DEBUG:
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", default=True)
    # Probes come from inside, without TLS.
    SECURE_REDIRECT_EXEMPT = [r"^api/v1/health"]
    SECURE_HSTS_SECONDS = env.integer("SECURE_HSTS_SECONDS", 31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=True)
    SECURE_HSTS_PRELOAD = env.flag("SECURE_HSTS_PRELOAD", default=True)
    if env.flag("TRUST_FORWARDED_PROTO"):
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
