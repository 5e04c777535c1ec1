"""What Django is made of here: paths, apps, middleware, templates, static files."""

import os
from pathlib import Path

from platform_site.local import secrets
from platform_site.local.layout import Layout
from platform_site.settings import env

BASE_DIR = Path(__file__).resolve().parents[2]
LAYOUT = Layout.from_env()
DEBUG = env.flag("DEBUG")

# Embedded servers are chosen one by one: whatever has no URL is ours to run.
EMBEDDED_DATABASE = not env.secret("DATABASE_URL")
EMBEDDED_VALKEY = not env.secret("REDIS_URL")
if EMBEDDED_DATABASE:
    # Whoever runs a database of their own keeps the secrets beside it.
    for _name, _value in secrets.ensure(LAYOUT.secrets_file).items():
        os.environ.setdefault(_name, _value)

# Development pages show mail to anyone who can reach the port, so both must hold.
DEVELOPMENT_PAGES = DEBUG and EMBEDDED_DATABASE

SHARED_APPS = [
    # Before unfold, of whose templates it replaces one.
    "platform_site.backoffice",
    "unfold",
    # Before django_tenants, whose commands it replaces.
    "tenancy",
    "django_tenants",
    "tenancy.erasures",
    "accounts.staff",
    "accounts.staff.lens",
    "accounts.directory",
    "platform_site.outbox",
    "billing",
    "platform_site",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "channels",
    "anymail",
]
TENANT_APPS = [
    "platform_site.journal",
    "platform_site.idempotency",
    "tenancy.org_settings",
    "accounts",
    "events",
    "registry",
    "chat",
    "notifications",
    "setup_hub",
    "platform_site.me",
]
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS]

MIDDLEWARE = [
    "platform_site.api.middleware.RequestContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "platform_site.api.middleware.ApiMiddleware",
    "platform_site.pages.middleware.ContentSecurityPolicy",
    "platform_site.pages.middleware.PageSession",
    "platform_site.pages.middleware.PageCommon",
    "platform_site.pages.middleware.PageCsrf",
    "platform_site.pages.middleware.PageAuthentication",
    "accounts.staff.request_log.StaffRequestLog",
    "platform_site.pages.middleware.PageMessages",
    # The plain one: an answer of the API belongs into nobody's frame either.
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "accounts.api.middleware.TenantTokenMiddleware",
    # Last, so that a page of one tenant is made inside that tenant and everything else outside.
    "accounts.staff.lens.middleware.LensMiddleware",
]

# PageCsrf is Django's CSRF middleware for every page; the check knows it by its own name only.
SILENCED_SYSTEM_CHECKS = ["security.W003"]

ROOT_URLCONF = "platform_site.urls"
WSGI_APPLICATION = "platform_site.wsgi.application"
ASGI_APPLICATION = "platform_site.asgi.application"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "platform_site" / "pages" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# An absolute value: a relative one is joined to the script prefix of whichever
# page is asked for first, and stays so for the life of the process.
STATIC_URL = "/static/"
# Collected for production; while developing, files are served from where they lie.
STATIC_ROOT = None if DEBUG else BASE_DIR / "staticfiles"
STATICFILES_DIRS = [
    BASE_DIR / "platform_site" / "pages" / "static",
    # The client that a product's frontend would copy, for the chat page.
    ("clients", BASE_DIR / "clients" / "javascript"),
]
WHITENOISE_USE_FINDERS = DEBUG
WHITENOISE_AUTOREFRESH = DEBUG

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "staff.StaffUser"
TEST_RUNNER = "django.test.runner.DiscoverRunner"

FRONTEND_URL = env.text("FRONTEND_URL").rstrip("/")
PUBLIC_URL = env.text("PUBLIC_URL", f"http://127.0.0.1:{env.integer('PORT', 8000)}").rstrip("/")
PRODUCT_NAME = env.text("PRODUCT_NAME", "Core Platform")

# JSON map of name to URL: the product's own services that /health reports on.
DOWNSTREAM_SERVICES = env.mapping("DOWNSTREAM_SERVICES")
