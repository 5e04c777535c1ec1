"""One error vocabulary: every code the API can answer with, bound to one status.

An app declares its codes in its own ``errors.py`` with ``error_code``; services
raise ``PlatformError(CODE)`` and never touch HTTP. Clients branch on ``code``
alone, so a code is never renamed; the message is for people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from platform_site.catalog import Catalog


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """``key`` on the wire (lower_snake_case), its only HTTP status, and the default message."""

    key: str
    status: int
    message: str


error_codes: Catalog[ErrorCode] = Catalog("error codes")


def error_code(key: str, status: int, message: str) -> ErrorCode:
    """Declare a code. Raises ``DuplicateEntry`` when it exists."""
    return error_codes.add(ErrorCode(key, status, message))


@dataclass(frozen=True, slots=True)
class FieldError:
    """One complaint about one field; ``field`` is the name the client sent, dotted when nested.

    ``more`` is what a client may want to have by itself, such as a line (camelCase keys).
    """

    field: str
    code: str
    message: str
    more: Mapping[str, Any] = dataclass_field(default_factory=dict, hash=False)

    def as_dict(self) -> dict[str, Any]:
        return {"field": self.field, "code": self.code, "message": self.message, **self.more}


@dataclass
class PlatformError(Exception):
    """Refuse what was asked, with a code from the registry.

    ``details`` are field errors, ``context`` is a small map for the client
    (camelCase keys), ``retry_after`` is in seconds and becomes ``Retry-After``.
    """

    code: ErrorCode
    message: str = ""
    details: Sequence[FieldError] = ()
    context: Mapping[str, Any] = dataclass_field(default_factory=dict)
    retry_after: int | None = None
    headers: Mapping[str, str] = dataclass_field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(self.code.key)
        self.message = self.message or self.code.message

    def __str__(self) -> str:
        return f"{self.code.key}: {self.message}"


def invalid_field(name: str, code: ErrorCode, message: str = "") -> PlatformError:
    """``code`` as the whole answer, with the field it is about in ``details``."""
    text = message or code.message
    return PlatformError(code, text, details=[FieldError(name, code.key, text)])


VALIDATION_FAILED = error_code("validation_failed", 400, "Some fields are not valid.")
UNKNOWN_FIELD = error_code("unknown_field", 400, "This field is not known here.")
UNKNOWN_PARAMETER = error_code("unknown_parameter", 400, "This query parameter is not known here.")
MALFORMED_JSON = error_code("malformed_json", 400, "The body is not valid JSON.")
MALFORMED_REQUEST = error_code("malformed_request", 400, "The request is malformed.")
INVALID_CURSOR = error_code("invalid_cursor", 400, "This cursor was not made by this list.")
NOT_AUTHENTICATED = error_code("not_authenticated", 401, "Sign in first.")
SUBSCRIPTION_REQUIRED = error_code("subscription_required", 402, "This workspace needs a subscription.")
PERMISSION_DENIED = error_code("permission_denied", 403, "You may not do this.")
PERSON_REQUIRED = error_code("person_required", 403, "An API key may not do this; a person has to.")
NOT_WHILE_IMPERSONATING = error_code(
    "not_while_impersonating", 403, "Support may not do this while signed in as somebody."
)
NOT_FOUND = error_code("not_found", 404, "There is nothing here.")
METHOD_NOT_ALLOWED = error_code("method_not_allowed", 405, "This method is not allowed here.")
NOT_ACCEPTABLE = error_code("not_acceptable", 406, "None of the accepted types can be given.")
REQUEST_TIMEOUT = error_code("request_timeout", 408, "The body took too long to arrive.")
CONFLICT = error_code("conflict", 409, "This conflicts with what is stored already.")
STALE_VERSION = error_code("stale_version", 409, "Somebody changed this in the meantime.")
PRECONDITION_FAILED = error_code("precondition_failed", 412, "If-Match does not name the current version.")
PAYLOAD_TOO_LARGE = error_code("payload_too_large", 413, "The body is too large.")
UNSUPPORTED_MEDIA_TYPE = error_code("unsupported_media_type", 415, "Send application/json.")
IDEMPOTENCY_IN_PROGRESS = error_code(
    "idempotency_in_progress", 409, "The first request with this Idempotency-Key is still running."
)
IDEMPOTENCY_KEY_REUSED = error_code("idempotency_key_reused", 422, "This Idempotency-Key was used with another body.")
RATE_LIMITED = error_code("rate_limited", 429, "Too many requests. Try again later.")
INTERNAL_ERROR = error_code("internal_error", 500, "Something went wrong on our side.")
SERVICE_UNAVAILABLE = error_code("service_unavailable", 503, "The service is not available right now.")
