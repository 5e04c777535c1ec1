"""Sessions: started by a sign-in, kept alive by a rotating refresh token, ended for good.

A refresh takes the session's row lock, so that any number of refreshes of one
token at once give one successor. The token before the current one is good for
a short grace and gives that same successor; an older one ends the session,
because somebody else must have it (RFC 9700, 4.14.2).
"""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts import catalog, errors
from accounts.access_tokens import access_token
from accounts.models import Session, User
from accounts.selectors import with_profiles
from accounts.services.session_lifetimes import Lifetimes, session_lifetimes
from accounts.services.token_tenant import tenant_of_token
from accounts.staff.catalog import IMPERSONATION_ENDED
from accounts.tokens import OpaqueToken, is_genuine, make_token, parse_token
from platform_site import context, session_cache
from platform_site.binding import TenantRef, bind, require_tenant
from platform_site.errors import PlatformError
from platform_site.ids import uuid7
from platform_site.journal.services import record
from platform_site.keys import current_token_key, fingerprint, is_token_key


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a client keeps. ``expires_in`` is the access token's life in seconds."""

    access_token: str
    refresh_token: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class SignedIn:
    tokens: Tokens
    user: User
    tenant: TenantRef


def session_start(*, user: User, methods: str = "pwd", now: datetime | None = None) -> Tokens:
    """A new session for the user in the bound tenant, inside the caller's transaction.

    ``methods`` says how the person proved who is there, as RFC 8176 names it:
    "pwd", "pwd otp". When the user has ``SESSIONS_PER_USER`` live ones, the oldest end.
    """
    now = now or timezone.now()
    tenant, work, lifetimes = require_tenant(), context.current(), session_lifetimes()
    _make_room(user, now)
    session = Session(
        id=uuid7(),
        user=user,
        last_used_at=now,
        authenticated_at=now,
        methods=methods,
        absolute_expires_at=now + lifetimes.absolute,
        key_id=current_token_key(),
        ip=work.origin,
        user_agent=work.user_agent,
    )
    session.idle_expires_at = _idle_end(session, lifetimes, now)
    token = _current_token(tenant.id, session)
    session.current_hash = fingerprint(token.secret)
    session.save(force_insert=True)
    return _tokens(tenant, session, user, token)


def _make_room(user: User, now: datetime) -> None:
    # Support that is signed in as somebody takes no place of theirs.
    live = Session.objects.filter(user=user, revoked_at=None, impersonator="").order_by("-created_at")
    too_many = list(live.values_list("id", flat=True)[settings.SESSIONS_PER_USER - 1 :])
    if too_many:
        _revoke(too_many, "too_many_sessions", now)


def session_refresh(*, refresh_token: str) -> SignedIn:
    """Exchange a refresh token for the next pair.

    Raises ``refresh_token_invalid``, ``refresh_token_expired``, ``session_revoked``,
    ``refresh_token_reused`` (the session is then dead) or ``tenant_suspended``.
    """
    token, tenant = tenant_of_token(refresh_token, "rt", invalid=errors.REFRESH_TOKEN_INVALID)
    with bind(tenant):
        outcome = _refresh(tenant, token)
    # Raised only here, so that ending a session is committed.
    if isinstance(outcome, PlatformError):
        raise outcome
    return outcome


@transaction.atomic
def _refresh(tenant: TenantRef, token: OpaqueToken) -> SignedIn | PlatformError:
    now = timezone.now()
    session = Session.objects.select_for_update(of=("self",)).select_related("user").filter(id=token.id).first()
    lifetimes = session_lifetimes()
    refusal = _refusal(session, lifetimes, now)
    if session is None or refusal is not None:
        return refusal or PlatformError(errors.REFRESH_TOKEN_INVALID)
    presented = fingerprint(token.secret)
    if hmac.compare_digest(presented, bytes(session.current_hash)):
        successor = _rotate(tenant, session, lifetimes, now)
    elif _in_grace(session, presented, now):
        successor = _current_token(tenant.id, session)
    elif is_genuine(token):
        return _end_reused(session, now)
    else:
        return PlatformError(errors.REFRESH_TOKEN_INVALID)
    # Whoever shows the person does so outside of the tenant.
    with_profiles([session.user])
    return SignedIn(_tokens(tenant, session, session.user, successor), session.user, tenant)


def session_rotate(*, session_id: UUID, user: User) -> Tokens:
    """The next pair of a live session of the user's, without the token before. In the caller's transaction.

    Raises ``session_revoked``.
    """
    session = (
        Session.objects.select_for_update().filter(id=session_id, user=user, revoked_at=None, impersonator="").first()
    )
    if session is None:
        raise PlatformError(errors.SESSION_REVOKED)
    tenant = require_tenant()
    token = _rotate(tenant, session, session_lifetimes(), timezone.now())
    return _tokens(tenant, session, user, token)


def _refusal(session: Session | None, lifetimes: Lifetimes, now: datetime) -> PlatformError | None:
    # Support gets an access token and nothing that makes another one.
    if session is None or session.impersonator:
        return PlatformError(errors.REFRESH_TOKEN_INVALID)
    if not is_token_key(session.key_id):
        # Dropped from the ring, perhaps because it leaked: its tokens can be made by whoever has it.
        return PlatformError(errors.REFRESH_TOKEN_INVALID)
    if session.revoked_at is not None or session.user.status != User.Status.ACTIVE:
        return PlatformError(errors.SESSION_REVOKED)
    # The tenant may have become stricter since these were written.
    idle_end = min(session.idle_expires_at, session.last_used_at + lifetimes.idle)
    if now >= min(idle_end, session.absolute_expires_at, session.created_at + lifetimes.absolute):
        return PlatformError(errors.REFRESH_TOKEN_EXPIRED)
    return None


def _in_grace(session: Session, presented: bytes, now: datetime) -> bool:
    return (
        session.previous_hash is not None
        and session.previous_until is not None
        and now <= session.previous_until
        and hmac.compare_digest(presented, bytes(session.previous_hash))
    )


def _rotate(tenant: TenantRef, session: Session, lifetimes: Lifetimes, now: datetime) -> OpaqueToken:
    session.previous_hash = session.current_hash
    session.previous_until = now + timedelta(seconds=settings.REFRESH_GRACE_SECONDS)
    session.counter += 1
    session.key_id = current_token_key()
    token = _current_token(tenant.id, session)
    session.current_hash = fingerprint(token.secret)
    session.last_used_at = now
    session.absolute_expires_at = min(session.absolute_expires_at, session.created_at + lifetimes.absolute)
    session.idle_expires_at = _idle_end(session, lifetimes, now)
    session.save(
        update_fields=[
            "previous_hash",
            "previous_until",
            "counter",
            "key_id",
            "current_hash",
            "last_used_at",
            "idle_expires_at",
            "absolute_expires_at",
        ]
    )
    return token


def _end_reused(session: Session, now: datetime) -> PlatformError:
    _revoke([session.id], "refresh_token_reused", now)
    record(
        catalog.REFRESH_REUSED,
        subject=("user", session.user.uuid),
        actor_id=session.user.uuid,
        data={"sessionId": str(session.id)},
    )
    return PlatformError(errors.REFRESH_TOKEN_REUSED)


@transaction.atomic
def session_end(*, session_id: UUID, user_uuid: UUID, reason: str = "signed_out") -> int:
    """End one session of the bound tenant. Gives 1, or 0 when it had ended before."""
    return _sign_out([session_id], user_uuid, reason)


@transaction.atomic
def sessions_end_all(*, user_id: int, user_uuid: UUID, but: UUID | None = None, reason: str = "signed_out_all") -> int:
    """End every session of the user, except ``but``. Gives how many."""
    live = Session.objects.filter(user_id=user_id, revoked_at=None)
    if but is not None:
        live = live.exclude(id=but)
    return _sign_out(list(live.values_list("id", flat=True)), user_uuid, reason)


def _sign_out(session_ids: list[UUID], user_uuid: UUID, reason: str) -> int:
    ended = _revoke(session_ids, reason, timezone.now())
    if ended.own:
        record(catalog.SIGNED_OUT, subject=("user", user_uuid), actor_id=user_uuid, data={"sessions": ended.own})
    return ended.count


def sessions_forget(*, user_ids: Sequence[int]) -> None:
    """Make these people's next requests ask SQL. Call it inside the transaction that changes who they are."""
    live = Session.objects.filter(user_id__in=user_ids, revoked_at=None).values_list("id", flat=True)
    session_cache.forget_sessions(require_tenant().id, list(live))


def session_of_refresh_token(refresh_token: str, tenant_id: UUID) -> tuple[UUID, UUID] | None:
    """(session id, user's uuid) when the token is this session's current or previous one, in the bound tenant."""
    token = parse_token(refresh_token, "rt")
    if token is None or token.tenant_id != tenant_id:
        return None
    session = Session.objects.select_related("user").filter(id=token.id).first()
    presented = fingerprint(token.secret)
    if session is None or not any(
        stored is not None and hmac.compare_digest(presented, bytes(stored))
        for stored in (session.current_hash, session.previous_hash)
    ):
        return None
    return session.id, session.user.uuid


def sessions_revoke(*, session_ids: list[UUID], reason: str) -> int:
    """End these sessions of the bound tenant, because of a fact that the caller records. Gives how many."""
    return _revoke(session_ids, reason, timezone.now()).count


@dataclass(frozen=True, slots=True)
class _Ended:
    """How many sessions ended, and how many of them were their people's own."""

    count: int = 0
    own: int = 0


def _revoke(session_ids: list[UUID], reason: str, now: datetime) -> _Ended:
    """Mark as ended and make every process look, in the caller's transaction.

    That support is no longer signed in as somebody is written down here, whatever ended it.
    """
    if not session_ids:
        return _Ended()
    live = Session.objects.filter(id__in=session_ids, revoked_at=None)
    impersonated = live.exclude(impersonator="").filter(absolute_expires_at__gt=now)
    theirs = list(impersonated.values_list("id", "user__uuid", "impersonator"))
    count = live.update(revoked_at=now, revoke_reason=reason)
    session_cache.forget_sessions(require_tenant().id, session_ids)
    for session_id, user_uuid, impersonator in theirs:
        record(
            IMPERSONATION_ENDED,
            subject=("user", user_uuid),
            data={"by": impersonator, "cause": reason, "sessionId": str(session_id)},
        )
    return _Ended(count, count - len(theirs))


def _idle_end(session: Session, lifetimes: Lifetimes, now: datetime) -> datetime:
    return min(now + lifetimes.idle, session.absolute_expires_at)


def _current_token(tenant_id: UUID, session: Session) -> OpaqueToken:
    return make_token("rt", tenant_id, session.id, key_id=session.key_id, counter=session.counter)


def _tokens(tenant: TenantRef, session: Session, user: User, refresh: OpaqueToken) -> Tokens:
    return Tokens(
        access_token(tenant_id=tenant.id, session_id=session.id, user_uuid=user.uuid),
        str(refresh),
        settings.ACCESS_TOKEN_SECONDS,
    )
