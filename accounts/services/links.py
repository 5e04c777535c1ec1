"""Mailed links: made with the fact that promises them, derived again when the mail is sent."""

import hmac
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts import errors
from accounts.models import LinkToken, User
from accounts.tokens import OpaqueToken, make_token
from platform_site.binding import require_tenant
from platform_site.errors import PlatformError
from platform_site.ids import uuid7
from platform_site.keys import current_token_key, fingerprint, is_token_key

LIFETIMES = {
    LinkToken.Kind.VERIFY_EMAIL: "VERIFY_EMAIL_SECONDS",
    LinkToken.Kind.RESET_PASSWORD: "RESET_PASSWORD_SECONDS",
    LinkToken.Kind.INVITATION: "INVITATION_SECONDS",
}


def links_void(*, user: User, kind: LinkToken.Kind) -> int:
    """Links of this kind that are still out stop working. Inside the caller's transaction. Gives how many."""
    live = LinkToken.objects.filter(user=user, kind=kind, used_at=None, superseded_at=None)
    return live.update(superseded_at=timezone.now())


def link_create(
    *, user: User, kind: LinkToken.Kind, sender_id: int | None = None, link_id: UUID | None = None
) -> LinkToken:
    """A new link for the user; older ones of its kind stop working. Inside the caller's transaction.

    ``link_id`` is for a caller who must not make a second one when it is run again.
    """
    now = timezone.now()
    links_void(user=user, kind=kind)
    link = LinkToken(
        id=link_id or uuid7(),
        kind=kind,
        user=user,
        sender_id=sender_id,
        key_id=current_token_key(),
        expires_at=now + timedelta(seconds=getattr(settings, LIFETIMES[kind])),
    )
    link.secret_hash = fingerprint(link_token(link).secret)
    link.save(force_insert=True)
    return link


def link_token(link: LinkToken) -> OpaqueToken:
    """The token to mail. The same every time, so a mail that is sent again carries the same link."""
    return make_token(link.kind, require_tenant().id, UUID(str(link.id)), key_id=link.key_id)


def link_read(token: OpaqueToken, kind: LinkToken.Kind) -> LinkToken:
    """The link of the bound tenant that this token opens, with its user.

    Raises ``link_token_invalid`` for what is unknown, used or superseded, and
    ``link_token_expired`` for what came too late.
    """
    return _usable(LinkToken.objects.select_related("user").filter(id=token.id, kind=kind).first(), token)


def link_lock(token: OpaqueToken, kind: LinkToken.Kind) -> LinkToken:
    """The same, locked until the caller's transaction ends: of any number of uses at once, one succeeds.

    The caller locks the person first, as everybody does who locks both.
    """
    return _usable(LinkToken.objects.select_for_update().filter(id=token.id, kind=kind).first(), token)


def _usable(link: LinkToken | None, token: OpaqueToken) -> LinkToken:
    if link is None or not hmac.compare_digest(fingerprint(token.secret), bytes(link.secret_hash)):
        raise PlatformError(errors.LINK_TOKEN_INVALID)
    if not is_token_key(link.key_id):
        # Its key is no longer in the ring: whoever has that key could make the token.
        raise PlatformError(errors.LINK_TOKEN_INVALID)
    if link.used_at is not None or link.superseded_at is not None:
        raise PlatformError(errors.LINK_TOKEN_INVALID)
    if timezone.now() >= link.expires_at:
        raise PlatformError(errors.LINK_TOKEN_EXPIRED)
    return link
