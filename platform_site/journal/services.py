"""``record``: write down a fact, and with it the work that others do because of it."""

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from platform_site import context
from platform_site.binding import BindingError, require_tenant
from platform_site.ids import uuid7
from platform_site.journal.keys import JournalKey
from platform_site.journal.models import JournalEntry
from platform_site.metrics.measures import FACTS
from platform_site.outbox.services import enqueue

MASK = "***"
_SECRET_NAMES = re.compile(r"(?i)password|secret|token|authorization|api_?key")


def record(
    key: JournalKey,
    *,
    subject: tuple[str, object] | None = None,
    data: Mapping[str, Any] | None = None,
    actor_id: UUID | None = None,
) -> JournalEntry:
    """Record ``key`` in the bound tenant's journal, inside the caller's transaction.

    ``subject`` is (type, id); ``data`` is JSON, masked here by name. The actor
    is taken from the work context when it is not given. One outbox row per
    reaction to the key goes along. Raises ``BindingError`` without a tenant or
    outside a transaction, because then entry and effect could part.
    """
    tenant = require_tenant()
    if not connection.in_atomic_block:
        raise BindingError(f"{key.key} was recorded outside a transaction.")
    work = context.current()
    kind, subject_id = subject or ("", "")
    entry = JournalEntry(
        id=uuid7(),
        key=key.key,
        actor_id=actor_id or work.actor_id,
        impersonator=work.impersonator,
        origin=work.origin,
        request_id=work.request_id,
        subject_type=kind,
        subject_id=str(subject_id),
        data=masked(data or {}),
    )
    entry.save(force_insert=True)
    enqueue(tenant_id=tenant.id, key=key.key, entry_id=entry.id)
    if FACTS.is_on:
        transaction.on_commit(lambda: FACTS.add(key.key))
    return entry


def masked(data: Mapping[str, Any]) -> dict[str, Any]:
    """``data`` with the values of secret-looking names replaced, at every depth."""
    return {name: MASK if _SECRET_NAMES.search(name) else _masked(value) for name, value in data.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return masked(value)
    if isinstance(value, (list, tuple)):
        return [_masked(item) for item in value]
    return value
