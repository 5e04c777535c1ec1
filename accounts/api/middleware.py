"""From a bearer token to a bound tenant, for the length of one request."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from django.http import HttpRequest, HttpResponse

from accounts.access_tokens import verify_access_token
from accounts.services.api_key_records import PREFIX, identity_of_api_key
from accounts.services.session_records import identity_of
from accounts.staff.impersonation import impersonated_request_record
from platform_site.api.identity import Identity
from platform_site.api.permissions import access_of
from platform_site.binding import bind
from platform_site.context import acting_as


class TenantTokenMiddleware:
    """Binds the tenant of the verified token around the view; ``finally`` unbinds.

    The tenant comes from the token's ``tid`` and from nowhere else: no header,
    no host. A view that is public is not bound, whatever the request carries.
    Why a token was refused is kept for the authenticator, which answers.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with ExitStack() as stack:
            request.binding_stack = stack  # type: ignore[attr-defined]
            response = self.get_response(request)
        identity: Identity | None = getattr(request, "identity", None)
        if identity is not None and identity.impersonator:
            # What support looked at is in no journal, so each request is in the staff audit.
            impersonated_request_record(
                session_id=identity.session_id,
                method=request.method or "",
                path=request.path,
                status=response.status_code,
            )
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        view_class = getattr(view, "cls", None)
        rule = access_of(view_class, request.method or "") if view_class else None
        if rule is None or rule.public:
            return
        try:
            identity = self._identity(request)
        except Exception as error:
            # Not swallowed: the authenticator raises it inside DRF, where it becomes an answer.
            request.identity_error = error  # type: ignore[attr-defined]
            return
        if identity is not None:
            request.identity = identity  # type: ignore[attr-defined]
            stack: ExitStack = request.binding_stack  # type: ignore[attr-defined]
            stack.enter_context(acting_as(identity.user_uuid, identity.impersonator))
            stack.enter_context(bind(identity.tenant))

    def _identity(self, request: HttpRequest) -> Identity | None:
        token = bearer_token(request)
        if not token:
            return None
        return identity_of_api_key(token) if token.startswith(PREFIX) else identity_of(verify_access_token(token))


def bearer_token(request: HttpRequest) -> str:
    """The bearer token, or "" when the request carries none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
