"""DRF's side of authentication: the middleware found out who asks, this says so.

Imports nothing of ``rest_framework.views``: DRF reads this module while it is
itself being imported.
"""

from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from platform_site.api.identity import Identity


class BoundIdentityAuthentication(BaseAuthentication):
    """The identity of the verified token, or the reason why there is none."""

    def authenticate(self, request: Request) -> tuple[Identity, None] | None:
        http = request._request
        error: Exception | None = getattr(http, "identity_error", None)
        if error is not None:
            raise error
        identity: Identity | None = getattr(http, "identity", None)
        return None if identity is None else (identity, None)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
