"""What happens to every request before and after everything else."""

import re
import time
from collections.abc import Callable
from uuid import uuid4

import structlog
from django.http import HttpRequest, HttpResponse

from platform_site import tracing
from platform_site.api.body_limits import body_limit
from platform_site.api.exceptions import http_error, translate
from platform_site.api.identity import Identity
from platform_site.api.origin import client_address
from platform_site.context import WorkContext, work_context
from platform_site.errors import MALFORMED_REQUEST, PAYLOAD_TOO_LARGE, PlatformError
from platform_site.metrics.measures import request_answered

log = structlog.get_logger("access")

GetResponse = Callable[[HttpRequest], HttpResponse]
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
# Mailed links carry their secret in the path; it is not for the log.
_SECRET_PATHS = re.compile(
    r"((?:/(?:verify-email|reset-password|accept-invitation|unsubscribe|t/[oc])|^/impersonate)/)[^/]+"
)


class RequestContextMiddleware:
    """Opens the work context, names the request and writes one access line when it is done."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid4().hex
        work = WorkContext(
            request_id=request_id,
            origin=client_address(request),
            user_agent=request.headers.get("User-Agent", "")[:300],
        )
        started = time.perf_counter()
        with work_context(work), tracing.of_request(request) as span:
            response = self.get_response(request)
            response["X-Request-Id"] = request_id
            took = time.perf_counter() - started
            request_answered(request, response.status_code, took)
            identity = getattr(request, "identity", None)
            tracing.answered(span, request, response.status_code, str(identity.tenant.id) if identity else "")
            log.info(
                "request",
                method=request.method,
                path=_SECRET_PATHS.sub(r"\1[redacted]", request.path),
                status=response.status_code,
                ms=round(took * 1000, 1),
                origin=work.origin,
                **_who(identity),
            )
        return response


def _who(identity: Identity | None) -> dict[str, str]:
    """Ids alone. Of support that is signed in as somebody it is the session that tells who it was."""
    if identity is None:
        return {}
    who = {"tenant": str(identity.tenant.id), "user": str(identity.user_uuid)}
    return {**who, "impersonation": str(identity.session_id)} if identity.impersonator else who


class ApiMiddleware:
    """The API's own rules, for paths below ``/api/`` only."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith("/api/"):
            return self.get_response(request)
        # "/api/v1/users/" means "/api/v1/users"; a redirect would lose the body.
        if len(request.path_info) > len("/api/") and request.path_info.endswith("/"):
            request.path_info = request.path_info.rstrip("/")
        refusal = self._refusal(request)
        response = http_error(refusal, request) if refusal else self.get_response(request)
        if request.headers.get("Authorization"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    def _refusal(self, request: HttpRequest) -> PlatformError | None:
        """A body that is too large is refused before a byte of it is read."""
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdigit():
            return PlatformError(MALFORMED_REQUEST, "Content-Length is not a number.")
        limit = body_limit(request.path_info, request.content_type or "")
        if int(length) > limit:
            return PlatformError(PAYLOAD_TOO_LARGE, context={"maxBytes": limit})
        return None

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if request.path_info.startswith("/api/"):
            return http_error(translate(exception), request)
        return None
