"""Publishing to sockets from requests, tasks and reactions: after the commit, in one round trip, and never in the way.

Valkey's word is a hint. What is numbered is found by the sweeper when the hint
is lost; what is not carries absolute values, so that the next one heals it.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

import msgspec
import structlog
from django.db import transaction

from platform_site import valkey
from platform_site.binding import require_tenant
from platform_site.realtime.envelopes import Header, pack

log = structlog.get_logger(__name__)

Envelope = tuple[Header, Mapping[str, Any] | bytes]


def topic(tenant_id: UUID) -> str:
    """Where the envelopes of a tenant go. Its id, because slugs and schemas may be somebody else's tomorrow."""
    return valkey.key("rt", tenant_id.hex)


def publish_on_commit(envelopes: Iterable[Envelope]) -> None:
    """Publish in the bound tenant once the caller's transaction is committed; at once where there is none."""
    batch, where = list(envelopes), topic(require_tenant().id)
    if batch:
        transaction.on_commit(lambda: publish(where, batch))


def publish(where: str, envelopes: Iterable[Envelope]) -> None:
    """Publish now. Is Valkey away, it is said in the log, and clients learn it when they ask or are swept."""
    now = time.time()
    batch = [pack(msgspec.structs.replace(header, at=now), frame) for header, frame in envelopes]
    try:
        if len(batch) == 1:
            valkey.client().publish(where, batch[0])
            return
        pipeline = valkey.client().pipeline(transaction=False)
        for envelope in batch:
            pipeline.publish(where, envelope)
        pipeline.execute()
    except valkey.ValkeyAway as error:
        log.info("realtime.not_published", envelopes=len(batch), error=type(error).__name__)
