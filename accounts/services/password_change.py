"""Changing one's own password while signed in."""

from django.db import transaction
from django.utils import timezone

from accounts import catalog, errors
from accounts.models import LinkToken, Session
from accounts.selectors import user_get
from accounts.services.links import links_void
from accounts.services.passwords import normalized, password_check, password_context, password_hash, password_matches
from accounts.services.second_factor import has_second_factor, person_lock
from accounts.services.sessions import Tokens, session_rotate, sessions_revoke
from platform_site import limits
from platform_site.api.identity import Identity
from platform_site.errors import PlatformError, invalid_field
from platform_site.journal.services import record


def password_change(*, actor: Identity, current_password: str, new_password: str) -> Tokens:
    """Set a new password, end every other session, and give this one its next pair of tokens.

    It counts as proving again who is there, unless a second factor would be
    asked for. Raises ``current_password_invalid`` (not a 401: the session is as
    good as before), ``password_…`` or ``too_many_attempts``.
    """
    limits.spend("password_change_user", f"{actor.tenant.id.hex}:{actor.user_id}", code=errors.TOO_MANY_ATTEMPTS)
    user = user_get(user_id=actor.user_id)
    if not password_matches(current_password, user.password):
        raise _wrong_password()
    password_check(new_password, field="newPassword", context=password_context(user))
    if normalized(new_password) == normalized(current_password):
        raise invalid_field("newPassword", errors.PASSWORD_SAME)
    return _change(actor, user.password, password_hash(new_password))


def _wrong_password() -> PlatformError:
    return invalid_field("currentPassword", errors.CURRENT_PASSWORD_INVALID)


@transaction.atomic
def _change(actor: Identity, before: str, encoded: str) -> Tokens:
    user = person_lock(id=actor.user_id)
    if user.password != before:
        # It was reset or changed while the hashes were computed.
        raise _wrong_password()
    tokens = session_rotate(session_id=actor.session_id, user=user)
    if not has_second_factor(user.id):
        Session.objects.filter(pk=actor.session_id).update(authenticated_at=timezone.now())
    user.password = encoded
    user.save(update_fields=["password", "updated_at"])
    links_void(user=user, kind=LinkToken.Kind.RESET_PASSWORD)
    others = Session.objects.filter(user=user, revoked_at=None).exclude(pk=actor.session_id)
    count = sessions_revoke(session_ids=list(others.values_list("id", flat=True)), reason="password_changed")
    record(catalog.PASSWORD_CHANGED, subject=("user", user.uuid), actor_id=user.uuid, data={"sessions": count})
    return tokens
