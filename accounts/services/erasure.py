"""Deleting somebody for good: the row stays as a tombstone, everything personal goes."""

from uuid import UUID

from django.db import transaction

from accounts import catalog, errors
from accounts.models import ApiKey, LinkToken, SecondFactor, Session, User
from accounts.role_rules import may_touch
from accounts.selectors import user_find
from accounts.services.avatars import avatar_remove
from accounts.services.people import Ref, access_revoke
from accounts.services.reauthentication import require_recent_authentication
from platform_site.api.identity import Identity
from platform_site.errors import PlatformError
from platform_site.journal.services import record
from tenancy.erasures.services import erasures_note


@transaction.atomic
def user_erase(*, actor: Identity, ref: Ref) -> User:
    """Erase somebody who is out, or who never accepted. What refers to the person keeps referring to a nobody.

    The address is free afterwards. Raises ``reauth_required``, ``not_found``,
    ``cannot_modify_superior``, ``cannot_delete_self`` or ``must_deactivate_first``.
    """
    require_recent_authentication(actor)
    user = user_find(ref, lock=True)
    if user.uuid == actor.user_uuid:
        raise PlatformError(errors.CANNOT_DELETE_SELF)
    may_touch(actor, user)
    if user.status == User.Status.ACTIVE:
        raise PlatformError(errors.MUST_DEACTIVATE_FIRST)
    _erase(user)
    return user


@transaction.atomic
def user_erase_again(user_uuid: UUID) -> bool:
    """Erase somebody of the bound tenant who was erased before and came back from a backup. False: nobody to erase."""
    user = User.objects.select_for_update().filter(uuid=user_uuid).exclude(status=User.Status.ERASED).first()
    if user is None:
        return False
    _erase(user)
    return True


def _erase(user: User) -> None:
    access_revoke(user, "user_erased")
    Session.objects.filter(user=user).delete()
    LinkToken.objects.filter(user=user).delete()
    SecondFactor.objects.filter(user=user).delete()
    # The key's row stays, because the journal names it; its name is the tenant's.
    ApiKey.objects.filter(created_by=user).update(secret_hash=b"")
    avatar_remove(user=user)
    _empty(user)
    record(catalog.USER_ERASED, subject=("user", user.uuid))
    erasures_note(kind="user", subject_ids=[user.uuid])


def _empty(user: User) -> None:
    user.status = User.Status.ERASED
    user.email, user.email_key = "", f"erased:{user.uuid}"
    user.first_name = user.last_name = user.phone = user.password = ""
    user.avatar_url = user.timezone = user.locale = ""
    user.preferences = {}
    user.email_verified_at = user.last_sign_in_at = None
    user.save()
