"""The platform's settings, one migration further."""

from platform_site.settings import *  # noqa: F403

MIGRATION_MODULES = {"journal": "tenancy.tests.ahead.journal"}
