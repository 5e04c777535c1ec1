"""Django as such: no apps, no middleware, PostgreSQL's own backend."""

from platform_site.settings.data import DATABASES as _DATABASES

SECRET_KEY = "measured and thrown away"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "benchmarks.bare.urls"
INSTALLED_APPS: list[str] = []
MIDDLEWARE: list[str] = []
USE_TZ = True
DATABASES = {"default": {**_DATABASES["default"], "ENGINE": "django.db.backends.postgresql"}}
