"""Structured logs: one JSON object a line, or coloured text while developing."""

from platform_site.settings import env
from platform_site.settings.base import DEBUG

LOG_FORMAT = env.text("LOG_FORMAT", "text" if DEBUG else "json")
LOG_LEVEL = env.text("LOG_LEVEL", "INFO").upper()

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"structured": {"()": "platform_site.logs.formatter", "style_name": LOG_FORMAT}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "structured"},
        "null": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": LOG_LEVEL, "propagate": False},
        # Our own access line replaces these: they print whole paths, and a path
        # may carry a token.
        "django.request": {"handlers": ["null"], "propagate": False},
        "django.server": {"handlers": ["null"], "propagate": False},
        "uvicorn.access": {"handlers": ["null"], "propagate": False},
        "httpx": {"level": "WARNING"},
    },
}
