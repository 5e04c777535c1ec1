"""Django with Channels and nothing else. ``STOCK_LAYER`` says which layer: pubsub, core, roomy_core or hub."""

import os
from typing import Any

from platform_site.settings.data import DATABASES as _DATABASES
from platform_site.settings.data import REDIS_PREFIX as _PREFIX
from platform_site.settings.data import REDIS_URL as _REDIS_URL

SECRET_KEY = "measured and thrown away"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["channels"]
USE_TZ = True
DATABASES = {"default": {**_DATABASES["default"], "ENGINE": "django.db.backends.postgresql"}}

REDIS_URL, REDIS_PREFIX = _REDIS_URL, f"{_PREFIX}:stock"
_LAYER = os.environ["STOCK_LAYER"]
_CONFIG: dict[str, Any] = {
    # With redis-py's own time limit and number of connections, idle consumers end after five seconds, and more than
    # a hundred sockets cannot close at once.
    "hosts": [{"address": _REDIS_URL, "socket_timeout": None, "max_connections": 10_000}],
    "prefix": f"{_PREFIX}:stock-{_LAYER}",
}
_LAYERS: dict[str, dict[str, Any]] = {
    "pubsub": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": _CONFIG},
    "core": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": _CONFIG},
    # The product's way of fanning out below the same consumers; it reads these two settings.
    "hub": {"BACKEND": "platform_site.realtime.layer.HubChannelLayer", "CONFIG": {"capacity": 1_000_000}},
    # The default of 100 messages is for a whole process, and what is more is dropped: it could not be measured.
    "roomy_core": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {**_CONFIG, "capacity": 1_000_000}},
}
CHANNEL_LAYERS = {"default": _LAYERS[_LAYER]}
