"""Where somebody is signed in, as shown to that person, and ending one of these sessions."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import Session
from accounts.services.sessions import session_end
from platform_site.api.identity import Identity
from platform_site.errors import NOT_FOUND, PlatformError


def own_sessions(*, actor: Identity) -> list[Session]:
    """The actor's live sessions: the one that asks first, then by last use. One query."""
    sessions = _live(actor).order_by("-last_used_at", "-id")
    return sorted(sessions, key=lambda session: session.id != actor.session_id)


@transaction.atomic
def own_session_end(*, actor: Identity, session_id: UUID) -> int:
    """End a live session of the actor's own, also the one that asks. Gives 1; raises ``not_found``."""
    if not _live(actor).filter(id=session_id).exists():
        raise PlatformError(NOT_FOUND)
    return session_end(session_id=session_id, user_uuid=actor.user_uuid)


def _live(actor: Identity) -> QuerySet[Session]:
    now = timezone.now()
    return Session.objects.filter(
        user_id=actor.user_id, revoked_at=None, idle_expires_at__gt=now, absolute_expires_at__gt=now
    )
