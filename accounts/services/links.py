"""Mailed links: made with the fact that promises them, derived again when the mail is sent."""

from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.models import LinkToken, User
from accounts.tokens import OpaqueToken, make_token
from platform_site.binding import require_tenant
from platform_site.ids import uuid7
from platform_site.keys import current_token_key, fingerprint

LIFETIMES = {
    LinkToken.Kind.VERIFY_EMAIL: "VERIFY_EMAIL_SECONDS",
    LinkToken.Kind.RESET_PASSWORD: "RESET_PASSWORD_SECONDS",
    LinkToken.Kind.INVITATION: "INVITATION_SECONDS",
}


def links_void(*, user: User, kind: LinkToken.Kind) -> int:
    """Links of this kind that are still out stop working. Inside the caller's transaction. Gives how many."""
    live = LinkToken.objects.filter(user=user, kind=kind, used_at=None, superseded_at=None)
    return live.update(superseded_at=timezone.now())


def link_create(*, user: User, kind: LinkToken.Kind, sender_id: int | None = None) -> LinkToken:
    """A new link for the user; older ones of its kind stop working. Inside the caller's transaction."""
    now = timezone.now()
    links_void(user=user, kind=kind)
    link = LinkToken(
        id=uuid7(),
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
