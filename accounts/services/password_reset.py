"""A new password for somebody who forgot the old one: a mailed link, and using it."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import catalog, errors
from accounts.models import LinkToken, Session, User
from accounts.services.asked_by_address import asked_about, keep_request, link_for_request
from accounts.services.links import link_create, link_lock, link_read, links_void
from accounts.services.passwords import (
    password_check,
    password_context,
    password_hash,
    password_matches,
    spend_a_hash,
)
from accounts.services.second_factor import person_lock
from accounts.services.sessions import sessions_revoke
from accounts.services.sign_in import allowance_return
from accounts.services.token_tenant import tenant_of_token
from accounts.tokens import OpaqueToken
from platform_site.binding import bind
from platform_site.errors import CONFLICT, NOT_FOUND, PlatformError, invalid_field
from platform_site.journal.services import record

FORGOT = "accounts.password_forgot"


def password_forgot(*, email: str, tenant_slug: str) -> None:
    """Have a reset link mailed if there is somebody to mail it to. Raises ``rate_limited``, for every address alike."""
    keep_request(kind=FORGOT, limit="password_forgot_account", email=email, tenant_slug=tenant_slug)


def password_forgot_serve(*, request_id: UUID, payload: dict[str, Any]) -> None:
    """An active person gets a reset link, an invited one the invitation again, everybody else nothing."""
    with asked_about(payload) as user:
        if user is None:
            return
        link = link_for_request(user=user, kind=LinkToken.Kind.RESET_PASSWORD, request_id=request_id)
        if link is not None:
            data = {"linkId": str(link.id)}
            record(catalog.PASSWORD_RESET_REQUESTED, subject=("user", user.uuid), data=data)


@transaction.atomic
def password_reset_send(*, user_id: int) -> None:
    """Mail a reset link to an active person, for whom somebody else asks. The older ones die.

    Raises ``not_found``, also for who was erased, and ``conflict`` for who cannot sign in.
    """
    user = person_lock(id=user_id)
    if user.status != User.Status.ACTIVE:
        raise PlatformError(CONFLICT, "Only somebody who is active can be sent a reset link.")
    link = link_create(user=user, kind=LinkToken.Kind.RESET_PASSWORD)
    record(catalog.PASSWORD_RESET_REQUESTED, subject=("user", user.uuid), data={"linkId": str(link.id)})


def password_reset(*, token: str, password: str) -> None:
    """Set a new password with a mailed link, end all sessions, and take the address as proved.

    Nobody is signed in by this, so it leads around no second factor. Raises
    ``link_token_invalid``, ``link_token_expired``, ``tenant_suspended``, or
    ``password_…``, after which the link is still good.
    """
    try:
        parsed, tenant = tenant_of_token(token, "rst", invalid=errors.LINK_TOKEN_INVALID)
        with bind(tenant):
            user = _holder(parsed)
    except PlatformError:
        spend_a_hash()
        raise
    with bind(tenant):
        # Before anything is locked: this takes a while, and only one of many uses at once will count.
        encoded = _encoded(user, password)
        _reset(parsed, user.id, encoded)
    # Whoever was locked out by a stranger's guesses, or by the own, can sign in again.
    allowance_return(tenant=tenant, user=user)


def _holder(token: OpaqueToken) -> User:
    user = link_read(token, LinkToken.Kind.RESET_PASSWORD).user
    _refuse_by_state(user)
    return user


def _refuse_by_state(user: User) -> None:
    # Not told apart: the link was made for somebody who could sign in.
    if user.status != User.Status.ACTIVE:
        raise PlatformError(errors.LINK_TOKEN_INVALID)


def _encoded(user: User, password: str) -> str:
    password_check(password, field="password", context=password_context(user))
    if user.password and password_matches(password, user.password):
        raise invalid_field("password", errors.PASSWORD_SAME)
    return password_hash(password)


@transaction.atomic
def _reset(token: OpaqueToken, user_id: int, encoded: str) -> None:
    user = _person(user_id)
    link = link_lock(token, LinkToken.Kind.RESET_PASSWORD)
    now = timezone.now()
    LinkToken.objects.filter(pk=link.pk).update(used_at=now)
    links_void(user=user, kind=LinkToken.Kind.RESET_PASSWORD)
    first_proof = not user.email_verified
    user.password, user.email_verified_at = encoded, user.email_verified_at or now
    user.save(update_fields=["password", "email_verified_at", "updated_at"])
    live = Session.objects.filter(user=user, revoked_at=None).values_list("id", flat=True)
    count = sessions_revoke(session_ids=list(live), reason="password_reset")
    subject = ("user", user.uuid)
    record(catalog.PASSWORD_RESET, subject=subject, actor_id=user.uuid, data={"sessions": count})
    if first_proof:
        record(catalog.EMAIL_VERIFIED, subject=subject, actor_id=user.uuid)


def _person(user_id: int) -> User:
    try:
        user = person_lock(id=user_id)
    except PlatformError as error:
        if error.code is not NOT_FOUND:
            raise
        raise PlatformError(errors.LINK_TOKEN_INVALID) from None
    _refuse_by_state(user)
    return user
