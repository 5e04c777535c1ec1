"""Proving that an e-mail address is one's own."""

import hmac
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts import catalog, errors
from accounts.models import LinkToken, User
from accounts.services.asked_by_address import asked_about, keep_request, link_for_request
from accounts.services.sessions import sessions_forget
from accounts.services.token_tenant import tenant_of_token
from accounts.tokens import OpaqueToken
from platform_site.binding import bind
from platform_site.errors import PlatformError
from platform_site.journal.services import record
from platform_site.keys import fingerprint

RESEND = "accounts.resend_verification"


@dataclass(frozen=True, slots=True)
class Verification:
    already_verified: bool


def email_verify(*, token: str) -> Verification:
    """Use a mailed verification link. The same link again is fine and says so.

    Raises ``link_token_invalid`` for what is unknown or superseded and
    ``link_token_expired`` for what came too late.
    """
    parsed, tenant = tenant_of_token(token, "vfy", invalid=errors.LINK_TOKEN_INVALID)
    with bind(tenant):
        return _verify(parsed)


@transaction.atomic
def _verify(token: OpaqueToken) -> Verification:
    link = (
        LinkToken.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(id=token.id, kind=LinkToken.Kind.VERIFY_EMAIL)
        .first()
    )
    if link is None or not hmac.compare_digest(fingerprint(token.secret), bytes(link.secret_hash)):
        raise PlatformError(errors.LINK_TOKEN_INVALID)
    if link.used_at is not None:
        return Verification(already_verified=True)
    now = timezone.now()
    if link.superseded_at is not None:
        raise PlatformError(errors.LINK_TOKEN_INVALID)
    if now >= link.expires_at:
        raise PlatformError(errors.LINK_TOKEN_EXPIRED)
    LinkToken.objects.filter(pk=link.pk).update(used_at=now)
    user = link.user
    if user.email_verified:
        return Verification(already_verified=True)
    User.objects.filter(pk=user.pk).update(email_verified_at=now)
    sessions_forget(user_ids=[user.id])
    record(catalog.EMAIL_VERIFIED, subject=("user", user.uuid), actor_id=user.uuid)
    return Verification(already_verified=False)


def verification_resend(*, email: str, tenant_slug: str) -> None:
    """Have another link mailed to whoever has not confirmed. Raises ``rate_limited``, for every address alike."""
    keep_request(kind=RESEND, limit="resend_verification_account", email=email, tenant_slug=tenant_slug)


def verification_resend_serve(*, request_id: UUID, payload: dict[str, Any]) -> None:
    """An active person who has not confirmed gets a link, an invited one the invitation again, others nothing."""
    with asked_about(payload) as user:
        if user is None or user.email_verified:
            return
        link = link_for_request(user=user, kind=LinkToken.Kind.VERIFY_EMAIL, request_id=request_id)
        if link is not None:
            data = {"linkId": str(link.id)}
            record(catalog.VERIFICATION_REQUESTED, subject=("user", user.uuid), data=data)
