"""PostgreSQL, Valkey and Celery."""

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from platform_site.settings import env
from platform_site.settings.base import EMBEDDED_DATABASE, LAYOUT


def database_from_url(url: str) -> dict[str, Any]:
    """``postgresql://user:password@host:port/name?host=/socket/dir`` as Django wants it."""
    parts = urlsplit(url)
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    host = query.pop("host", parts.hostname or "")
    return {
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or query.pop("port", "")),
        "QUERY": query,
    }


_database = database_from_url(env.secret("DATABASE_URL") or LAYOUT.database_url)
_query = _database.pop("QUERY")

# Who makes and changes tables, in the same database. Empty: the role of DATABASE_URL does that too.
_owner_url = env.secret("DATABASE_OWNER_URL") or (LAYOUT.database_owner_url if EMBEDDED_DATABASE else "")
DATABASE_OWNER: dict[str, Any] = database_from_url(_owner_url) if _owner_url else {}

# Where pg_dump and pg_restore are. Empty: on the PATH, in Debian's folders, or in the wheel.
PG_BIN_DIR = env.text("PG_BIN_DIR")

# No request may hold a connection longer than this: it bounds what a slow query
# can do to the others, and how long a stopping server waits.
STATEMENT_TIMEOUT_MS = env.integer("STATEMENT_TIMEOUT_MS", 8000, minimum=100)

DATABASES = {
    "default": {
        "ENGINE": "django_tenants.postgresql_backend",
        **_database,
        # Under 300 s, so that the catalogue cache of a backend that met many
        # schemas is given back from time to time.
        "CONN_MAX_AGE": env.integer("DATABASE_CONN_MAX_AGE", 60),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **_query,
            "connect_timeout": 3,
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c idle_in_transaction_session_timeout=60000",
        },
    }
}
# Connections of a realtime process, which needs them for signing in, catching up and sweeping only.
REALTIME_DATABASE_CONNECTIONS = env.integer("REALTIME_DATABASE_CONNECTIONS", 4, minimum=1)
# How long a socket may outlive its session when Valkey loses the word.
REALTIME_LOOK_SECONDS = env.integer("REALTIME_LOOK_SECONDS", 30, minimum=1)
DATABASE_ROUTERS = ["django_tenants.routers.TenantSyncRouter"]

TENANT_MODEL = "tenancy.Tenant"
TENANT_DOMAIN_MODEL = "tenancy.Domain"
# One SET search_path per binding instead of one per query; safe from 4.0.1 on,
# where a rollback makes the connection forget what it believed the path to be.
TENANT_LIMIT_SET_CALLS = True

_redis_url = env.secret("REDIS_URL")
REDIS_URL = _redis_url or LAYOUT.redis_url
# Everything of ours in Valkey starts with this, so that two installations (or
# two test workers) on one server never meet.
REDIS_PREFIX = env.text("REDIS_PREFIX", "core")

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "KEY_FUNCTION": "django_tenants.cache.make_key",
    }
}

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {
            # redis-py 8 gives idle connections a read timeout; a consumer that
            # waits for a message is idle by nature.
            "hosts": [{"address": REDIS_URL, "socket_timeout": None, "max_connections": 10_000}],
            "prefix": f"{REDIS_PREFIX}:channels",
        },
    }
}

_celery_prefix = f"{REDIS_PREFIX}:celery:"
# Kombu has its own word for a unix socket.
_broker_url = _redis_url.replace("unix://", "redis+socket://").replace("?db=", "?virtual_host=")
CELERY_BROKER_URL = env.secret("CELERY_BROKER_URL") or _broker_url or LAYOUT.broker_url
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": _celery_prefix,
    "visibility_timeout": 900,
    # kombu's own patience with a broker that is away: six seconds of somebody's request, for each message.
    "max_retries": 0,
    "socket_timeout": 5,
    "socket_connect_timeout": 1,
    "health_check_interval": 30,
    "socket_keepalive": True,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 600
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_TIMEZONE = "UTC"
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_BEAT_SCHEDULE = {
    "sweep the outbox": {"task": "platform_site.outbox.sweep", "schedule": 2.0, "options": {"expires": 2}},
    "reap crashed sign-ups": {"task": "tenancy.reap", "schedule": 300.0, "options": {"expires": 240}},
    "purge tenants": {"task": "tenancy.purge_due", "schedule": 86400.0, "options": {"expires": 3600}},
    "keep billing up": {"task": "billing.keep_up", "schedule": 300.0, "options": {"expires": 240}},
    "reconcile seats": {"task": "billing.reconcile_seats", "schedule": 86400.0, "options": {"expires": 3600}},
    "count for staff": {"task": "backoffice.count", "schedule": 900.0, "options": {"expires": 600}},
    "purge expired rows": {"task": "accounts.purge", "schedule": 3600.0, "options": {"expires": 600}},
    "purge journals": {"task": "accounts.purge_journals", "schedule": 86400.0, "options": {"expires": 3600}},
    "purge what staff did": {"task": "staff.purge", "schedule": 86400.0, "options": {"expires": 3600}},
}
