"""Who may open a socket, and who may keep it: the session record, read from SQL by the realtime process.

Once when somebody comes and twice a minute for all who are there. Neither is a
path on which a cache would be noticed, and without one a socket can be opened
while Valkey is away.
"""

import time
from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.utils import timezone

from accounts.access_tokens import Claims, token_end, verify_access_token
from accounts.catalog import MESSAGE_ACCESS_UNTIL
from accounts.models import User
from accounts.services.ws_tickets import ws_ticket_redeem
from platform_site.async_binding import abind
from platform_site.binding import TenantRef
from platform_site.errors import PlatformError
from platform_site.realtime.ports import Person, plug
from platform_site.realtime.protocol import Close, Closing
from platform_site.tenants import ACTIVE
from tenancy.org_settings.values import understood

_TENANT = "SELECT id, schema_name, slug, status, data_epoch FROM tenancy_tenant WHERE id = %(id)s"
_SESSION = """
SELECT s.id, u.id AS user_id, u.uuid AS user_uuid, least(s.idle_expires_at, s.absolute_expires_at) AS ends_at,
       s.impersonator
FROM accounts_session s JOIN accounts_user u ON u.id = s.user_id
WHERE s.id = ANY(%(ids)s) AND s.revoked_at IS NULL AND u.status = %(active)s
"""

_CHOSEN = "SELECT value FROM org_settings_orgsetting WHERE key = %(key)s"

_TENANT_SECONDS: Final = 1.0
_TENANTS_KEPT: Final = 1000
_tenants: dict[UUID, tuple[float, dict[str, Any]]] = {}


class SessionDoor:
    """The door of ``platform_site.realtime``: access tokens and tickets of live sessions."""

    async def by_token(self, token: str) -> Person:
        try:
            claims = verify_access_token(token)
        except PlatformError as error:
            code = Close.TOKEN_ENDED if error.code.key == "token_expired" else Close.REVOKED
            raise Closing(code, error.code.key) from None
        return await _person(claims, token_end(token))

    async def by_ticket(self, ticket: str) -> Person:
        try:
            # One short question to Valkey by the client that has it, in a thread that nobody else waits for.
            claims = await sync_to_async(ws_ticket_redeem, thread_sensitive=False)(ticket)
        except PlatformError as error:
            raise Closing(Close.STATE_LOST, error.code.key) from None
        if claims is None:
            raise Closing(Close.TOKEN_ENDED, "the ticket is unknown, used or too old")
        # It stands for a session just as a token would that was made now.
        return await _person(claims, time.time() + settings.ACCESS_TOKEN_SECONDS)

    async def alive(self, tenant: TenantRef, sessions: Collection[UUID]) -> set[UUID]:
        # Whoever asks this wants to know how it is now: a suspension may be the reason.
        _tenants.pop(tenant.id, None)
        await _tenant(tenant.id)
        return {row["id"] for row in await _sessions(tenant, sessions)}


async def _person(claims: Claims, until: float) -> Person:
    tenant, epoch = await _tenant(claims.tenant_id)
    rows = await _sessions(tenant, [claims.session_id])
    if not rows or rows[0]["user_uuid"] != claims.user_uuid:
        raise Closing(Close.REVOKED, "session_revoked")
    row = rows[0]
    person = Person(
        tenant=tenant,
        session_id=row["id"],
        user_id=row["user_id"],
        user_uuid=row["user_uuid"],
        until=until,
        epoch=epoch,
    )
    if not row["impersonator"]:
        return person
    return replace(
        person,
        # A ticket does not stand for longer than the session, which no new token goes on with.
        until=min(until, row["ends_at"].timestamp()),
        impersonator=row["impersonator"],
        messages_until=await _messages_until(tenant),
    )


async def _messages_until(tenant: TenantRef) -> float:
    async with abind(tenant) as db:
        rows = await db.fetch(_CHOSEN, {"key": MESSAGE_ACCESS_UNTIL.key})
    moment = understood(MESSAGE_ACCESS_UNTIL, rows[0]["value"]) if rows else MESSAGE_ACCESS_UNTIL.default()
    return moment.timestamp() if moment is not None else 0.0


async def _tenant(tenant_id: UUID) -> tuple[TenantRef, int]:
    """A tenant in which work may be done, as it was at most a second ago: many of its people may come at once."""
    known = _tenants.get(tenant_id)
    now = time.monotonic()
    if known is None or known[0] < now:
        async with abind(None) as db:
            rows = await db.fetch(_TENANT, {"id": tenant_id})
        if not rows:
            raise Closing(Close.REVOKED, "session_revoked")
        if len(_tenants) > _TENANTS_KEPT:
            _tenants.clear()
        known = _tenants[tenant_id] = (now + _TENANT_SECONDS, rows[0])
    row = known[1]
    if row["status"] != ACTIVE:
        raise Closing(Close.SUSPENDED, f"tenant_{row['status']}")
    return TenantRef(row["id"], row["schema_name"], row["slug"], row["status"]), row["data_epoch"]


async def _sessions(tenant: TenantRef, ids: Collection[UUID]) -> list[dict[str, Any]]:
    """Those of these sessions that live, each with its person."""
    async with abind(tenant) as db:
        rows = await db.fetch(_SESSION, {"ids": list(ids), "active": User.Status.ACTIVE.value})
    now = timezone.now()
    return [row for row in rows if row["ends_at"] > now]


plug(door=SessionDoor())
