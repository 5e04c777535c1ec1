"""Support that is signed in as somebody, seen from the tenant: beginning, ending, and looking again.

Who of staff may begin one, and why, is for ``accounts.staff.impersonation`` to say.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Session, User
from accounts.services.sessions import sessions_revoke
from platform_site import context, session_cache
from platform_site.binding import require_tenant


def impersonation_start(*, session_id: UUID, user: User, impersonator: str, now: datetime, until: datetime) -> Session:
    """A session of the user for a staff member, in the bound tenant and the caller's transaction.

    It has no refresh token: there is no secret of which the stored hash would be
    one. It is no sign-in of the person's either: no limit counts it, no device is
    known by it, and when they were last here stays as it was.
    """
    work = context.current()
    session: Session = Session.objects.create(
        id=session_id,
        user=user,
        last_used_at=now,
        authenticated_at=now,
        methods="",
        idle_expires_at=until,
        absolute_expires_at=until,
        key_id="",
        current_hash=b"",
        ip=work.origin,
        user_agent=work.user_agent,
        impersonator=impersonator,
    )
    return session


@transaction.atomic
def impersonations_end(*, reason: str, session_ids: Collection[UUID] | None = None) -> int:
    """End those of the bound tenant, all or these ones. Gives how many."""
    live = _live()
    if session_ids is not None:
        live = live.filter(id__in=session_ids)
    return sessions_revoke(session_ids=list(live.values_list("id", flat=True)), reason=reason)


def impersonations_forget() -> None:
    """Let the next request of each ask SQL, in the transaction that changes what they may see."""
    session_cache.forget_sessions(require_tenant().id, list(_live().values_list("id", flat=True)))


def _live() -> "QuerySet[Session]":
    now = timezone.now()
    return Session.objects.filter(revoked_at=None, absolute_expires_at__gt=now).exclude(impersonator="")
