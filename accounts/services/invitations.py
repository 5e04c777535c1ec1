"""Inviting people, sending an invitation again, and accepting it."""

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import catalog, errors
from accounts.emails import email_display, email_key
from accounts.models import LinkToken, User
from accounts.profiles import DEFAULT_PROFILE
from accounts.role_rules import may_give_profile, may_give_role, may_touch, only_administrators
from accounts.roles import Role
from accounts.seats import seat_take
from accounts.selectors import user_find
from accounts.services.links import link_create, link_lock
from accounts.services.passwords import password_check, password_context, password_hash
from accounts.services.people import Ref, already_here
from accounts.services.sessions import SignedIn
from accounts.services.sign_in import MfaPending, finish_sign_in, settled
from accounts.services.token_tenant import tenant_of_token
from accounts.tokens import OpaqueToken
from platform_site import limits
from platform_site.api.identity import Identity
from platform_site.binding import TenantRef, bind, require_tenant
from platform_site.errors import PlatformError
from platform_site.journal.services import record

AGAIN_AFTER = timedelta(days=1)


@transaction.atomic
def user_invite(
    *,
    actor: Identity,
    email: str,
    first_name: str = "",
    last_name: str = "",
    role: Role = Role.USER,
    profile_id: int | None = None,
) -> User:
    """Somebody new, who is pending, holds a seat and gets a mail with a link that works for seven days.

    Without ``profile_id`` the role's own profile. Raises ``role_not_assignable``,
    ``profile_not_assignable``, ``profile_not_found``, ``user_exists``,
    ``invitation_pending``, ``user_deactivated``, ``seat_limit_reached`` or
    ``rate_limited``.
    """
    may_give_role(actor, role)
    profile_id = DEFAULT_PROFILE[role].id if profile_id is None else profile_id
    may_give_profile(actor, role, profile_id)
    limits.spend("invite_tenant", require_tenant().id.hex)
    key = email_key(email)
    if User.objects.filter(email_key=key).exists():
        # Before a seat is asked for: that somebody is here already is the better answer.
        raise already_here(key)
    seat_take()
    user = User(
        email=email_display(email),
        email_key=key,
        first_name=first_name,
        last_name=last_name,
        role=role,
        profile_id=profile_id,
        status=User.Status.PENDING,
    )
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError:
        raise already_here(key) from None
    user.refresh_from_db(fields=["created_at"])
    link = link_create(user=user, kind=LinkToken.Kind.INVITATION, sender_id=actor.user_id or None)
    record(
        catalog.USER_INVITED,
        subject=("user", user.uuid),
        data={"linkId": str(link.id), "role": str(role), "profileId": profile_id},
    )
    return user


@transaction.atomic
def invitation_resend(*, actor: Identity, ref: Ref) -> User:
    """A new link by mail; the old one dies at once. Works also when that one has expired.

    Raises ``not_found``, ``user_erased``, ``user_not_pending`` or ``rate_limited`` (five a day
    for one person).
    """
    only_administrators(actor)
    user = user_find(ref, lock=True)
    may_touch(actor, user)
    _send_within_limits(user, sender_id=actor.user_id or None)
    return user


@transaction.atomic
def invitation_resend_by_staff(*, ref: Ref) -> User:
    """The same for staff, still in the name of whoever invited; without anybody's say.

    Raises ``not_found``, ``user_erased``, ``user_not_pending`` or ``rate_limited``.
    """
    user = user_find(ref, lock=True)
    _send_within_limits(user, sender_id=_last_sender(user))
    return user


def _send_within_limits(user: User, *, sender_id: int | None) -> None:
    if user.status != User.Status.PENDING:
        raise PlatformError(errors.USER_NOT_PENDING)
    limits.spend("invite_tenant", require_tenant().id.hex)
    limits.spend("resend_invitation_user", f"{require_tenant().id.hex}:{user.id}")
    _send(user, sender_id=sender_id)


def invitation_send_again(*, user: User) -> bool:
    """For an invited person who asks for a new password: the invitation again, once a day at most.

    In the bound tenant and inside the caller's transaction, which has locked the
    person. Gives whether one was sent.
    """
    since = timezone.now() - AGAIN_AFTER
    recent = LinkToken.objects.filter(user=user, kind=LinkToken.Kind.INVITATION, created_at__gte=since)
    if user.status != User.Status.PENDING or recent.exists():
        return False
    _send(user, sender_id=_last_sender(user))
    return True


def _last_sender(user: User) -> int | None:
    """In whose name the last invitation went out."""
    links = LinkToken.objects.filter(user=user, kind=LinkToken.Kind.INVITATION)
    return links.order_by("-created_at").values_list("sender_id", flat=True).first()


def _send(user: User, *, sender_id: int | None) -> None:
    link = link_create(user=user, kind=LinkToken.Kind.INVITATION, sender_id=sender_id)
    record(catalog.INVITATION_RESENT, subject=("user", user.uuid), data={"linkId": str(link.id)})


def invitation_accept(
    *, token: str, password: str, first_name: str | None = None, last_name: str | None = None
) -> SignedIn | MfaPending:
    """Take the place that was held: set a password, and sign in.

    Raises ``link_token_invalid``, ``link_token_expired``, ``tenant_suspended``,
    ``mfa_enrollment_required`` (then the invitation is accepted), or
    ``password_…``, after which the link is still good. One hash is computed
    whatever the token is, so that its time tells nothing.
    """
    encoded = password_hash(password)
    parsed, tenant = tenant_of_token(token, "inv", invalid=errors.LINK_TOKEN_INVALID)
    names = {"first_name": first_name, "last_name": last_name}
    with bind(tenant):
        outcome = _accept(tenant, parsed, password, encoded, {name: text for name, text in names.items() if text})
    return settled(outcome)


@transaction.atomic
def _accept(
    tenant: TenantRef, token: OpaqueToken, password: str, encoded: str, names: dict[str, str]
) -> SignedIn | MfaPending:
    user = _invited(token)
    link = link_lock(token, LinkToken.Kind.INVITATION)
    for name, text in names.items():
        setattr(user, name, text)
    password_check(password, field="password", context=password_context(user))
    now = timezone.now()
    LinkToken.objects.filter(pk=link.pk).update(used_at=now)
    user.password, user.status, user.email_verified_at = encoded, User.Status.ACTIVE, now
    user.save(update_fields=["password", "status", "email_verified_at", "first_name", "last_name", "updated_at"])
    record(catalog.INVITATION_ACCEPTED, subject=("user", user.uuid), actor_id=user.uuid)
    return finish_sign_in(tenant=tenant, user=user)


def _invited(token: OpaqueToken) -> User:
    """The person whom this link is for, locked. Who is not pending any more has no use for it."""
    row = LinkToken.objects.filter(id=token.id, kind=LinkToken.Kind.INVITATION).values_list("user_id", flat=True)
    rows = User.objects.select_for_update(of=("self",), no_key=True)
    user = rows.filter(id__in=list(row), status=User.Status.PENDING).first()
    if user is None:
        raise PlatformError(errors.LINK_TOKEN_INVALID)
    return user
