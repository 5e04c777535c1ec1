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

LIFETIMES = {LinkToken.Kind.VERIFY_EMAIL: "VERIFY_EMAIL_SECONDS"}


def link_create(*, user: User, kind: LinkToken.Kind) -> LinkToken:
    """A new link for the user; older ones of its kind stop working. Inside the caller's transaction."""
    now = timezone.now()
    LinkToken.objects.filter(user=user, kind=kind, used_at=None, superseded_at=None).update(superseded_at=now)
    link = LinkToken(
        id=uuid7(),
        kind=kind,
        user=user,
        key_id=current_token_key(),
        expires_at=now + timedelta(seconds=getattr(settings, LIFETIMES[kind])),
    )
    link.secret_hash = fingerprint(link_token(link).secret)
    link.save(force_insert=True)
    return link


def link_token(link: LinkToken) -> OpaqueToken:
    """The token to mail. The same every time, so a mail that is sent again carries the same link."""
    return make_token(link.kind, require_tenant().id, UUID(str(link.id)), key_id=link.key_id)
