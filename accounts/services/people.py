"""Making people, changing them, and taking them out and in again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import catalog, errors
from accounts.emails import email_display, email_key
from accounts.models import ApiKey, LinkToken, Session, User
from accounts.profiles import DEFAULT_PROFILE
from accounts.role_rules import may_give_profile, may_give_role, may_touch, only_administrators
from accounts.roles import Role
from accounts.seats import seat_take
from accounts.selectors import user_find
from accounts.services.administrators import administrators_lock, keep_an_administrator
from accounts.services.links import link_create, links_void
from accounts.services.sessions import sessions_forget, sessions_revoke
from platform_site import session_cache
from platform_site.api.identity import Identity
from platform_site.binding import require_tenant
from platform_site.errors import PERMISSION_DENIED, PlatformError
from platform_site.journal.services import record

Ref = int | UUID
NAMES = ("first_name", "last_name")


@dataclass(frozen=True, slots=True)
class UserChanges:
    """What is to change; what is None stays. ``email`` is for people who have not accepted yet."""

    first_name: str | None = None
    last_name: str | None = None
    role: Role | None = None
    profile_id: int | None = None
    status: str | None = None
    email: str | None = None


def user_create(
    *,
    email: str,
    first_name: str = "",
    last_name: str = "",
    role: Role = Role.USER,
    profile_id: int | None = None,
    password: str = "",
    status: User.Status = User.Status.ACTIVE,
    verified_at: datetime | None = None,
) -> User:
    """A person in the bound tenant. ``password`` is a hash (``password_hash``) or empty for none.

    Asks nobody and tells nobody: for sign-up and for data of tests. People are
    invited by ``user_invite``.
    """
    return User.objects.create(
        email=email_display(email),
        email_key=email_key(email),
        first_name=first_name,
        last_name=last_name,
        role=role,
        profile_id=profile_id or DEFAULT_PROFILE[role].id,
        password=password,
        status=status,
        email_verified_at=verified_at,
    )


@transaction.atomic
def user_update(*, actor: Identity, ref: Ref, changes: UserChanges) -> User:
    """Change somebody's name, role, profile or status, or the address of somebody who is only invited.

    Raises ``not_found``, ``user_erased``, ``cannot_modify_superior``, ``role_not_assignable``,
    ``profile_not_assignable``, ``profile_not_found``, ``cannot_change_own_role``,
    ``last_admin``, and what ``user_deactivate`` and ``user_activate`` raise. All
    of it happens or nothing.
    """
    user = _reachable(actor, ref)
    before = _facts(user)
    _rename(user, changes)
    _change_rights(actor, user, changes)
    if changes.email is not None:
        _change_address(actor, user, changes.email)
    after = _facts(user)
    if before != after:
        user.save(update_fields=["first_name", "last_name", "role", "profile_id", "email", "email_key", "updated_at"])
        record(catalog.USER_UPDATED, subject=("user", user.uuid), data=_difference(before, after))
        sessions_forget(user_ids=[user.id])
    if changes.status is not None and changes.status != user.status:
        _may_change_status(actor)
        change = {"active": user_activate, "inactive": user_deactivate}[changes.status]
        user = change(actor=actor, ref=user.id)
    return user


@transaction.atomic
def user_deactivate(*, actor: Identity, ref: Ref) -> User:
    """Take somebody out: sessions end, the seat is free, own API keys and invitations that are out stop working.

    Of somebody who is out already nothing changes. Raises ``not_found``,
    ``cannot_modify_superior``, ``cannot_deactivate_self`` or ``last_admin``.
    """
    user = _reachable(actor, ref)
    if user.uuid == actor.user_uuid:
        raise PlatformError(errors.CANNOT_DEACTIVATE_SELF)
    if user.status == User.Status.INACTIVE:
        return user
    keep_an_administrator(user)
    before = user.status
    user.status = User.Status.INACTIVE
    user.save(update_fields=["status", "updated_at"])
    access_revoke(user, "user_deactivated")
    record(
        catalog.USER_DEACTIVATED,
        subject=("user", user.uuid),
        data={"before": {"status": before}, "after": {"status": user.status}},
    )
    return user


@transaction.atomic
def user_activate(*, actor: Identity, ref: Ref) -> User:
    """Let somebody in again; sessions do not come back. Of somebody who is in nothing changes.

    Somebody who had never accepted the invitation is invited anew. Raises
    ``not_found``, ``user_erased``, ``cannot_modify_superior``, ``user_pending`` or
    ``seat_limit_reached``.
    """
    user = _reachable(actor, ref)
    if user.status == User.Status.PENDING:
        raise PlatformError(errors.USER_PENDING)
    if user.status == User.Status.ACTIVE:
        return user
    seat_take()
    user.status = User.Status.ACTIVE if user.password else User.Status.PENDING
    user.save(update_fields=["status", "updated_at"])
    record(
        catalog.USER_ACTIVATED,
        subject=("user", user.uuid),
        data={"before": {"status": User.Status.INACTIVE}, "after": {"status": user.status}},
    )
    if user.status == User.Status.PENDING:
        link = link_create(user=user, kind=LinkToken.Kind.INVITATION, sender_id=actor.user_id or None)
        record(catalog.INVITATION_RESENT, subject=("user", user.uuid), data={"linkId": str(link.id)})
    return user


def access_revoke(user: User, reason: str) -> None:
    """Close every door that this person has a key to. Inside the caller's transaction."""
    live = Session.objects.filter(user=user, revoked_at=None).values_list("id", flat=True)
    sessions_revoke(session_ids=list(live), reason=reason)
    for kind in LinkToken.Kind:
        links_void(user=user, kind=kind)
    now = timezone.now()
    sent = LinkToken.objects.filter(sender=user, kind=LinkToken.Kind.INVITATION, used_at=None, superseded_at=None)
    sent.update(superseded_at=now)
    keys = list(ApiKey.objects.filter(created_by=user, revoked_at=None).values_list("id", flat=True))
    if keys:
        ApiKey.objects.filter(id__in=keys).update(revoked_at=now)
        session_cache.forget_sessions(require_tenant().id, keys)


def _reachable(actor: Identity, ref: Ref) -> User:
    """The person, locked, if the actor may touch them.

    Administrators are locked first, all in one order: who changes one of them
    may have to count them, and two who lock one each and then ask for the other
    would wait for ever.
    """
    user = user_find(ref)
    if user.role == Role.TENANT_ADMIN:
        administrators = administrators_lock()
        still = actor.is_staff or (actor.is_person and actor.user_id in administrators)
        if not still:
            # Demoted a moment ago, by somebody who was first.
            raise PlatformError(errors.CANNOT_MODIFY_SUPERIOR)
    user = user_find(ref, lock=True)
    may_touch(actor, user)
    return user


def _rename(user: User, changes: UserChanges) -> None:
    for name in NAMES:
        value = getattr(changes, name)
        if value is not None:
            setattr(user, name, value)


def _change_rights(actor: Identity, user: User, changes: UserChanges) -> None:
    role = changes.role or Role(user.role)
    if role != user.role:
        if user.uuid == actor.user_uuid:
            raise PlatformError(errors.CANNOT_CHANGE_OWN_ROLE)
        may_give_role(actor, role)
        if role != Role.TENANT_ADMIN:
            keep_an_administrator(user)
    profile_id = user.profile_id if changes.profile_id is None else changes.profile_id
    if role != user.role or profile_id != user.profile_id:
        if user.uuid == actor.user_uuid and actor.role != Role.TENANT_ADMIN:
            raise PlatformError(errors.PROFILE_NOT_ASSIGNABLE)
        may_give_profile(actor, role, profile_id)
    user.role, user.profile_id = role, profile_id


def _change_address(actor: Identity, user: User, email: str) -> None:
    """Mend a typing mistake in an invitation: the link at the old address dies, the new one gets its own."""
    if email_key(email) == user.email_key and email_display(email) == user.email:
        return
    only_administrators(actor)
    if user.status != User.Status.PENDING:
        raise PlatformError(errors.USER_NOT_PENDING)
    same_person = email_key(email) == user.email_key
    user.email, user.email_key = email_display(email), email_key(email)
    try:
        with transaction.atomic():
            user.save(update_fields=["email", "email_key"])
    except IntegrityError:
        raise already_here(email_key(email)) from None
    if not same_person:
        link = link_create(user=user, kind=LinkToken.Kind.INVITATION, sender_id=actor.user_id or None)
        record(catalog.INVITATION_RESENT, subject=("user", user.uuid), data={"linkId": str(link.id)})


def already_here(key: str) -> PlatformError:
    """Who has this address already, in which state, as the answer to somebody who wanted to give it again."""
    other = User.objects.filter(email_key=key).first()
    if other is None or other.status == User.Status.ACTIVE:
        return PlatformError(errors.USER_EXISTS)
    code = errors.INVITATION_PENDING if other.status == User.Status.PENDING else errors.USER_DEACTIVATED
    return PlatformError(code, context={"userId": other.id})


def _may_change_status(actor: Identity) -> None:
    """A status in the body takes what the paths for it take."""
    if catalog.USERS_DEACTIVATE.key not in actor.permissions:
        raise PlatformError(PERMISSION_DENIED, context={"permission": catalog.USERS_DEACTIVATE.key})


def _facts(user: User) -> dict[str, Any]:
    """What a change is measured by. Names and addresses are personal, and the journal is kept: it says only that."""
    return {
        "firstName": user.first_name,
        "lastName": user.last_name,
        "email": user.email,
        "role": str(user.role),
        "profileId": user.profile_id,
    }


_PERSONAL = ("firstName", "lastName", "email")


def _difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    changed = [name for name in before if before[name] != after[name]]
    return {
        "before": {name: before[name] for name in changed if name not in _PERSONAL},
        "after": {name: after[name] for name in changed if name not in _PERSONAL},
        "changed": changed,
    }
