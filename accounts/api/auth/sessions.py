"""``/auth/sessions``: where one is signed in; and ``/auth/reauthenticate``: proving that it is still oneself."""

from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import errors
from accounts.api.auth.responses import NO_STORE
from accounts.api.serializers import RevokedOutput
from accounts.models import Session
from accounts.services.own_sessions import own_session_end, own_sessions
from accounts.services.reauthentication import reauthenticate
from platform_site.api.docs import operation
from platform_site.api.permissions import SignedIn
from platform_site.api.serializers import Moment, Secret, Shape, Text, YesNo
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView
from platform_site.errors import NOT_FOUND


class SessionOutput(Shape):
    """``methods``: how the person proved who is there, as RFC 8176 names it (pwd, otp) and rec for a recovery code.

    ``impersonator``: the staff member whose session this is, who proved nothing of the kind.
    """

    id = serializers.UUIDField()
    current = YesNo()
    created_at = Moment()
    last_used_at = Moment()
    expires_at = Moment()
    ip = Text()
    user_agent = Text()
    methods = serializers.ListField(child=Text())
    impersonator = Text(allow_null=True)


class ReauthenticateInput(Shape):
    """A code of six digits or a recovery code where there is a second factor, else the password."""

    password = Secret(max_length=1024, required=False)
    code = Secret(max_length=20, required=False)


class ReauthenticatedOutput(Shape):
    authenticated_at = Moment()
    valid_until = Moment()


def present_session(session: Session, current: UUID) -> dict[str, object]:
    shown = {
        "id": session.id,
        "current": session.id == current,
        "created_at": session.created_at,
        "last_used_at": session.last_used_at,
        "expires_at": min(session.idle_expires_at, session.absolute_expires_at),
        "ip": session.ip,
        "user_agent": session.user_agent,
        "methods": session.methods.split(),
        "impersonator": session.impersonator or None,
    }
    return dict(SessionOutput(shown).data)


class SessionsView(ApiView):
    when_unpaid = WhenUnpaid.ALWAYS
    access = SignedIn()

    @operation(
        id="auth_sessions",
        summary="Where the signed-in person is signed in",
        description="Live sessions only, the one that asks first.",
        output=SessionOutput,
        listed="all",
        example=[
            {
                "id": "019aaf1e-5d2c-7a31-9c0e-000000000002",
                "current": True,
                "createdAt": "2026-11-20T08:00:00.000Z",
                "lastUsedAt": "2026-11-23T09:14:00.000Z",
                "expiresAt": "2026-11-30T09:14:00.000Z",
                "ip": "203.0.113.7",
                "userAgent": "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
                "methods": ["pwd", "otp"],
                "impersonator": None,
            }
        ],
    )
    def get(self, request: Request) -> Response:
        sessions = own_sessions(actor=self.identity)
        return Response([present_session(session, self.identity.session_id) for session in sessions])


class SessionView(ApiView):
    when_unpaid = WhenUnpaid.ALWAYS
    access = SignedIn()

    @operation(
        id="auth_session_end",
        summary="End one of one's own sessions",
        output=RevokedOutput,
        example={"revoked": 1},
        errors=[NOT_FOUND],
    )
    def delete(self, request: Request, session_id: UUID) -> Response:
        return Response({"revoked": own_session_end(actor=self.identity, session_id=session_id)})


class ReauthenticateView(ApiView):
    when_unpaid = WhenUnpaid.ALWAYS
    access = SignedIn()

    @operation(
        id="auth_reauthenticate",
        summary="Prove again who is there, for what cannot be undone",
        description="With the password, or, where the account has a second factor, with a code of it. What asks for"
        " a recent proof takes it until `validUntil`.",
        input=ReauthenticateInput,
        output=ReauthenticatedOutput,
        example_in={"password": "your-password"},
        example={"authenticatedAt": "2026-11-23T09:14:00.000Z", "validUntil": "2026-11-23T09:19:00.000Z"},
        errors=[
            errors.CURRENT_PASSWORD_INVALID,
            errors.MFA_INVALID,
            errors.TOO_MANY_ATTEMPTS,
            errors.SESSION_REVOKED,
        ],
    )
    def post(self, request: Request) -> Response:
        proof = reauthenticate(actor=self.identity, **self.read(ReauthenticateInput))
        shown = {"authenticated_at": proof.at, "valid_until": proof.valid_until}
        return Response(ReauthenticatedOutput(shown).data, headers=NO_STORE)
