"""One handler from every exception to the error envelope or to RFC 9457."""

from collections.abc import Iterator, Mapping
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions as drf
from rest_framework.response import Response

from platform_site import context, errors
from platform_site.api.renderers import ErrorResponse, dump
from platform_site.errors import ErrorCode, FieldError, PlatformError
from platform_site.metrics.measures import REFUSALS

log = structlog.get_logger(__name__)

_DRF_CODES: dict[type[Exception], ErrorCode] = {
    drf.ParseError: errors.MALFORMED_JSON,
    drf.NotAuthenticated: errors.NOT_AUTHENTICATED,
    drf.AuthenticationFailed: errors.NOT_AUTHENTICATED,
    drf.PermissionDenied: errors.PERMISSION_DENIED,
    drf.NotFound: errors.NOT_FOUND,
    drf.MethodNotAllowed: errors.METHOD_NOT_ALLOWED,
    drf.NotAcceptable: errors.NOT_ACCEPTABLE,
    drf.UnsupportedMediaType: errors.UNSUPPORTED_MEDIA_TYPE,
    Http404: errors.NOT_FOUND,
    PermissionDenied: errors.PERMISSION_DENIED,
    RequestDataTooBig: errors.PAYLOAD_TOO_LARGE,
    IntegrityError: errors.CONFLICT,
    DataError: errors.MALFORMED_REQUEST,
}
_DATABASE_AWAY = (OperationalError, InterfaceError)


def handle(exception: Exception, drf_context: Mapping[str, Any]) -> Response:
    """DRF's exception handler: never lets anything through to Django's HTML pages."""
    request: HttpRequest = drf_context["request"]._request
    error = translate(exception)
    headers = dict(error.headers)
    if isinstance(exception, drf.MethodNotAllowed):
        headers["Allow"] = ", ".join(drf_context["view"].allowed_methods)
    body, content_type = render_error(error, request)
    response = ErrorResponse(body, status=error.code.status, headers={**_headers(error), **headers})
    response.content_type = content_type
    return response


def http_error(error: PlatformError, request: HttpRequest) -> HttpResponse:
    """The same answer for code that runs outside DRF: middleware and the catch-all routes."""
    body, content_type = render_error(error, request)
    return HttpResponse(
        dump(body),
        status=error.code.status,
        content_type=content_type,
        headers={**_headers(error), **error.headers},
    )


def translate(exception: Exception) -> PlatformError:
    """Whatever was raised, as an error of the registry. What nobody foresaw is logged and becomes a 500."""
    if isinstance(exception, PlatformError):
        return exception
    if isinstance(exception, drf.ValidationError):
        details = list(field_errors(exception.detail))
        return PlatformError(errors.VALIDATION_FAILED, details=details)
    for kind, code in _DRF_CODES.items():
        if isinstance(exception, kind):
            if isinstance(exception, (IntegrityError, DataError)):
                log.warning("api.database_refused", error=type(exception).__name__, exc_info=exception)
            return PlatformError(code)
    if isinstance(exception, _DATABASE_AWAY):
        log.error("api.database_away", error=type(exception).__name__)
        return PlatformError(errors.SERVICE_UNAVAILABLE, retry_after=5)
    log.error("api.crashed", exc_info=exception)
    return PlatformError(errors.INTERNAL_ERROR)


def field_errors(detail: Any, path: str = "") -> Iterator[FieldError]:
    """DRF's nested complaints, flat: ``address.lines.0`` names the second level's first item."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from field_errors(inner, ".".join(part for part in (path, own) if part))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, (Mapping, list))
            yield from field_errors(inner, f"{path}.{index}".strip(".") if nested else path)
    else:
        yield FieldError(path, getattr(detail, "code", "invalid"), str(detail))


def render_error(error: PlatformError, request: HttpRequest) -> tuple[dict[str, Any], str]:
    """The body and its content type, by what the client accepts."""
    REFUSALS.add(error.code.key)
    request_id = context.current().request_id
    details = [detail.as_dict() for detail in error.details]
    if "application/problem+json" in request.headers.get("Accept", ""):
        return {
            "type": f"urn:problem:{error.code.key}",
            "title": error.code.message,
            "status": error.code.status,
            "detail": error.message,
            "instance": request.path,
            "code": error.code.key,
            "errors": details,
            "context": dict(error.context),
            "requestId": request_id,
        }, "application/problem+json"
    return {
        "success": False,
        "error": {
            "code": error.code.key,
            "message": error.message,
            "details": details,
            "context": dict(error.context),
            "requestId": request_id,
        },
    }, "application/json"


def _headers(error: PlatformError) -> dict[str, str]:
    headers: dict[str, str] = {}
    if error.code.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after is not None:
        headers["Retry-After"] = str(error.retry_after)
    return headers
