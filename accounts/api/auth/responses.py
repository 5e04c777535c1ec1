"""The answer at the end of a sign-in, wherever it ends: never cached, and the device is known from then on."""

from collections.abc import Mapping

from django.conf import settings
from rest_framework.response import Response

from accounts.api.auth.serializers import present_signed_in, present_signed_in_or_pending
from accounts.services.sessions import SignedIn
from accounts.services.sign_in import DEVICE_SECONDS, MfaPending, device_cookie

DEVICE_COOKIE = "known_device"
NO_STORE = {"Cache-Control": "no-store"}


def sign_in_response(outcome: SignedIn | MfaPending) -> Response:
    """The session, or what is asked for instead; only a session makes the device known."""
    if isinstance(outcome, MfaPending):
        return Response(present_signed_in_or_pending(outcome), headers=NO_STORE)
    return signed_in_response(outcome)


def signed_in_response(signed_in: SignedIn, body: Mapping[str, object] | None = None) -> Response:
    """The sign-in body, or ``body`` where there is more to say, with the known-device cookie."""
    response = Response(present_signed_in(signed_in) if body is None else dict(body), headers=NO_STORE)
    response.set_cookie(
        DEVICE_COOKIE,
        device_cookie(signed_in.tenant.slug, signed_in.user),
        max_age=DEVICE_SECONDS,
        path="/api/v1/auth/login",
        secure=not settings.DEBUG,
        httponly=True,
        samesite="Lax",
    )
    return response
