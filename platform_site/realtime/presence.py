"""Who is connected just now: entries in Valkey that the processes of sockets keep alive."""

import time
from collections.abc import Iterable
from typing import cast
from uuid import UUID

import structlog

from platform_site import valkey

log = structlog.get_logger(__name__)


def presence_key(tenant_id: UUID) -> str:
    """A sorted set: members are ``<user number>:<process>``, scores the time until which an entry is good."""
    return valkey.key("presence", tenant_id.hex)


def online(tenant_id: UUID, user_ids: Iterable[int]) -> set[int]:
    """Those of these people who have a socket somewhere. Is Valkey away, nobody is known to be there."""
    wanted = set(user_ids)
    if not wanted:
        return set()
    try:
        good = valkey.client().zrangebyscore(presence_key(tenant_id), time.time(), "+inf")
    except valkey.ValkeyAway as error:
        log.info("realtime.presence_unknown", error=type(error).__name__)
        return set()
    return wanted & {int(entry.partition(b":")[0]) for entry in cast(list[bytes], good)}
