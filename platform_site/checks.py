"""System checks: combinations of settings that cannot be meant, each with an id and a hint."""

import re
from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning
from django.core.checks import register as register_check

MINIMUM_KEY_LENGTH = 32
KID = re.compile(r"[A-Za-z0-9_-]{1,40}")
MINIMUM_TOKEN_LENGTH = 16


def register() -> None:
    for check in (
        check_keys,
        check_limits,
        check_proxies,
        check_lifetimes,
        check_cors,
        check_downstream,
        check_metrics,
    ):
        register_check(check, Tags.compatibility)
    register_check(check_production, Tags.security, deploy=True)


def check_keys(app_configs: Any = None, **_: Any) -> Sequence[CheckMessage]:
    found: list[CheckMessage] = []
    for number, name in enumerate(("JWT_KEYS", "TOKEN_KEYS", "ENCRYPTION_KEYS"), start=1):
        ring: list[tuple[str, str]] = getattr(settings, name)
        if not ring:
            found.append(Error(f"{name} is empty.", hint="Set it to kid:key.", id=f"platform.E00{number}"))
        elif any(len(key) < MINIMUM_KEY_LENGTH for _, key in ring):
            found.append(
                Error(f"{name} holds a key of under 32 characters.", hint="Use 32 random bytes.", id="platform.E004")
            )
        if len(ring) > 2:
            found.append(Error(f"{name} holds more than two keys.", hint="Drop the oldest.", id="platform.E005"))
        if len({kid for kid, _ in ring}) != len(ring):
            found.append(Error(f"{name} names two keys alike.", hint="Give each its own kid.", id="platform.E006"))
        if not all(KID.fullmatch(kid) for kid, _ in ring):
            # Stored values are found by the id in front of them, and columns that hold one have forty characters.
            found.append(
                Error(
                    f"{name} names a key badly.", hint="Use letters, digits, - and _, 40 at most.", id="platform.E008"
                )
            )
    secrets = [key for name in ("JWT_KEYS", "TOKEN_KEYS", "ENCRYPTION_KEYS") for _, key in getattr(settings, name)]
    if settings.SECRET_KEY in secrets:
        found.append(Error("SECRET_KEY is used as another key too.", hint="Make a key of its own.", id="platform.E007"))
    return found


def check_limits(app_configs: Any = None, **_: Any) -> Sequence[CheckMessage]:
    if settings.RATE_LIMITS_ENABLED or settings.DEBUG:
        return []
    return [Error("RATE_LIMITS=off works with DEBUG only.", hint="Unset RATE_LIMITS.", id="platform.E010")]


def check_proxies(app_configs: Any = None, **_: Any) -> Sequence[CheckMessage]:
    found: list[CheckMessage] = []
    for proxy in settings.TRUSTED_PROXIES:
        try:
            network = ip_network(proxy, strict=False)
        except ValueError:
            found.append(Error(f"TRUSTED_PROXIES: {proxy!r} is no network.", hint="10.0.0.0/8", id="platform.E011"))
            continue
        if network.prefixlen == 0:
            found.append(
                Error("TRUSTED_PROXIES trusts everybody.", hint="Name your edge's own network.", id="platform.E012")
            )
    return found


def check_lifetimes(app_configs: Any = None, **_: Any) -> Sequence[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.SESSION_IDLE_SECONDS > settings.SESSION_ABSOLUTE_SECONDS:
        found.append(
            Error(
                "SESSION_IDLE_SECONDS is longer than SESSION_ABSOLUTE_SECONDS.",
                hint="A session cannot be idle for longer than it lives.",
                id="platform.E013",
            )
        )
    if settings.ACCESS_TOKEN_SECONDS > 3600:
        found.append(Warning("Access tokens live for over an hour.", hint="600 is the default.", id="platform.W001"))
    if settings.REFRESH_GRACE_SECONDS > 60:
        found.append(Warning("REFRESH_GRACE_SECONDS is over a minute.", hint="10 is the default.", id="platform.W002"))
    return found


def check_cors(app_configs: Any = None, **_: Any) -> Sequence[CheckMessage]:
    if settings.CORS_ALLOW_CREDENTIALS and not settings.CORS_ALLOWED_ORIGINS:
        return [
            Error(
                "CORS_ALLOW_CREDENTIALS is on, but no origin is allowed.",
                hint="Set CORS_ALLOWED_ORIGINS.",
                id="platform.E014",
            )
        ]
    return []


def check_downstream(app_configs: Any = None, **_: Any) -> Sequence[CheckMessage]:
    wrong = [name for name, url in settings.DOWNSTREAM_SERVICES.items() if not url.startswith(("http://", "https://"))]
    return [
        Error(f"DOWNSTREAM_SERVICES: {name} has no http or https URL.", hint='{"crm": "https://…"}', id="platform.E015")
        for name in wrong
    ]


def check_metrics(app_configs: Any = None, **_: Any) -> Sequence[CheckMessage]:
    if settings.METRICS_TOKEN and len(settings.METRICS_TOKEN) < MINIMUM_TOKEN_LENGTH:
        return [
            Error("METRICS_TOKEN has under 16 characters.", hint="Use 32 random bytes.", id="platform.E016"),
        ]
    return []


def check_production(app_configs: Any = None, **_: Any) -> Sequence[CheckMessage]:
    found: list[CheckMessage] = []
    if settings.EMBEDDED_DATABASE or settings.EMBEDDED_VALKEY:
        found.append(
            Warning(
                "The embedded servers are for development.",
                hint="Set DATABASE_URL and REDIS_URL.",
                id="platform.W010",
            )
        )
    if settings.PUBLIC_URL.startswith("http://"):
        found.append(Warning("PUBLIC_URL is not https.", hint="Mailed links use it.", id="platform.W011"))
    return found
