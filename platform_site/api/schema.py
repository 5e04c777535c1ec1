"""The OpenAPI document: what is true of every operation, written once.

drf-spectacular asks a view's ``AutoSchema`` about each operation. Ours takes
the particulars from ``@operation`` and adds the rest: the envelope around data
and examples, the errors that can occur, the token, Idempotency-Key and the
parameters of lists. Nothing here guesses: an operation without ``@operation``
is a warning, and warnings fail the build.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from drf_spectacular.drainage import warn
from drf_spectacular.extensions import OpenApiAuthenticationExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, build_media_type_object
from drf_spectacular.utils import Direction, OpenApiParameter
from rest_framework.serializers import Serializer

from platform_site import errors
from platform_site.api.docs import Operation, operation_of, query
from platform_site.api.forms import FORM
from platform_site.api.pagination import MAX_CURSOR_LENGTH, MAX_PAGE, CursorMeta, PageMeta
from platform_site.api.permissions import access_of
from platform_site.api.unpaid import WhenUnpaid, may_be_refused
from platform_site.errors import ErrorCode, error_codes
from platform_site.idempotency.store import MAX_KEY_LENGTH

Document = dict[str, Any]

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"

ALWAYS = (errors.VALIDATION_FAILED, errors.UNKNOWN_PARAMETER, errors.MALFORMED_REQUEST, errors.SERVICE_UNAVAILABLE)
WITH_BODY = (errors.MALFORMED_JSON, errors.PAYLOAD_TOO_LARGE, errors.UNSUPPORTED_MEDIA_TYPE)
WITH_IDEMPOTENCY_KEY = (errors.IDEMPOTENCY_IN_PROGRESS, errors.IDEMPOTENCY_KEY_REUSED)
# By key, because accounts and tenancy, which declare them, lie above the kit.
SIGNED_IN = (
    "not_authenticated",
    "token_invalid",
    "token_expired",
    "token_wrong_type",
    "tenant_mismatch",
    "session_revoked",
    "api_key_invalid",
    "permission_denied",
    "person_required",
    "not_while_impersonating",
    "tenant_suspended",
    "tenant_pending_deletion",
)
UNPAID = ("subscription_required", "subscription_canceled", "trial_expired", "payment_past_due")


def _object(**properties: Document) -> Document:
    """An object that always has all of its properties."""
    return {"type": "object", "properties": properties, "required": sorted(properties)}


_TEXT: Document = {"type": "string"}
_FIELD_ERRORS: Document = {"type": "array", "items": {"$ref": "#/components/schemas/FieldError"}}
_CONTEXT: Document = {"type": "object", "additionalProperties": True}
_REQUEST_ID: Document = {"type": "string", "description": "Also in the header X-Request-Id."}
_COMPONENTS: Mapping[str, Document] = {
    "FieldError": _object(
        field={"type": "string", "description": "The name that was sent, dotted when nested."},
        code=_TEXT,
        message=_TEXT,
    ),
    "ErrorEnvelope": _object(
        success={"type": "boolean", "const": False},
        error=_object(code=_TEXT, message=_TEXT, details=_FIELD_ERRORS, context=_CONTEXT, requestId=_REQUEST_ID),
    ),
    "Problem": {
        "description": "ErrorEnvelope for clients that accept application/problem+json (RFC 9457).",
        **_object(
            type=_TEXT,
            title=_TEXT,
            status={"type": "integer"},
            detail=_TEXT,
            instance=_TEXT,
            code=_TEXT,
            errors=_FIELD_ERRORS,
            context=_CONTEXT,
            requestId=_REQUEST_ID,
        ),
    },
}
_RETRY_AFTER: Document = {
    "Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds.", "required": True}
}
_META = {"page": PageMeta, "cursor": CursorMeta}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The access token of a sign-in."""

    target_class = "platform_site.api.authentication.BoundIdentityAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> Document:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class FreeMapField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A map whose keys belong to the client."""

    target_class = "platform_site.api.serializers.FreeMap"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> Document:
        return {"type": "object", "additionalProperties": True}


class UploadField(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A file that is a part of a form."""

    target_class = "platform_site.api.forms.Upload"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> Document:
        return {"type": "string", "format": "binary"}


class EnvelopeAutoSchema(AutoSchema):
    """One operation of the document, from the view's ``@operation``, access, limits and idempotency."""

    @property
    def operation(self) -> Operation | None:
        return operation_of(self.view, self.method)

    @property
    def public(self) -> bool:
        access = access_of(self.view, self.method)
        return access is not None and access.public

    @property
    def idempotent(self) -> bool:
        # documents_idempotency is for a view that keeps the answer by itself, as documents_bearer, below, is
        # for one that reads the token by itself.
        return self.method in getattr(self.view, "idempotent", ()) or (
            self.method == "POST" and getattr(self.view, "documents_idempotency", False)
        )

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        built = super().get_operation(*args, **kwargs)
        if built is not None and self.operation is None:
            warn(f"{self.method} {self.path} has no @operation.")
        return built

    def get_operation_id(self) -> str:
        operation = self.operation
        if operation is None:
            return str(super().get_operation_id())
        # "put = patch" is one function under two names, and an id must stand once.
        own_name = getattr(self.view, self.method.lower()).__name__
        return operation.id if own_name == self.method.lower() else f"{operation.id}_{self.method.lower()}"

    def get_summary(self) -> str | None:
        return self.operation.summary if self.operation else None

    def get_description(self) -> str:  # type: ignore[override]
        return self.operation.description if self.operation else ""

    def get_auth(self) -> list[Document]:
        if self.public and not getattr(self.view, "documents_bearer", False):
            return []
        return super().get_auth()

    def get_serializer_name(self, serializer: Any, direction: Direction) -> str:
        # UserOutput is User to clients, and UserInput is UserRequest.
        name: str = serializer.__class__.__name__
        return name.removesuffix("Output").removesuffix("Input")

    def _is_list_view(self, serializer: Any = None) -> bool:
        # Lists say so in @operation; there is no paginator class to ask.
        return False

    def get_request_serializer(self) -> Any:
        operation = self.operation
        if operation is None:
            return None
        if operation.form is not None:
            return {JSON: operation.input, FORM: operation.form}
        # A dictionary stands for media types here, so a bare JSON schema has to be one inside.
        return {JSON: operation.input} if isinstance(operation.input, Mapping) else operation.input

    def get_override_parameters(self) -> list[Any]:
        operation = self.operation
        parameters = list(operation.parameters) if operation else []
        if operation and operation.listed == "page":
            parameters.append(query("page", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 1}))
        if operation and operation.listed == "cursor":
            text = "A nextCursor or prevCursor of this list."
            parameters.append(query("cursor", {"type": "string", "maxLength": MAX_CURSOR_LENGTH}, text))
        if operation and operation.listed in ("page", "cursor"):
            default, maximum = operation.limit
            parameters.append(query("limit", {"type": "integer", "minimum": 1, "maximum": maximum, "default": default}))
        if self.idempotent:
            parameters.append(
                OpenApiParameter(
                    "Idempotency-Key",
                    {"type": "string", "minLength": 1, "maxLength": MAX_KEY_LENGTH},
                    OpenApiParameter.HEADER,
                    description="A request that is repeated with the same key is answered once.",
                )
            )
        return parameters

    def _get_request_for_media_type(self, serializer: Any, direction: Direction = "request") -> tuple[Any, bool]:
        # The overridden method makes every field of a PATCH optional. Here an input shape says itself which
        # fields it needs, and validation knows no partial mode.
        if isinstance(serializer, Mapping):
            return dict(serializer), False
        component = self.resolve_serializer(serializer, direction) if serializer else None
        if not component:
            return None, False
        return component.ref, bool(component.schema.get("required"))

    def _get_request_body(self, direction: Direction = "request") -> Document | None:
        body: Document | None = super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        if body and self.operation and self.operation.example_in is not None:
            # A form's example is the same without the file, which no JSON can show.
            for media in body["content"].values():
                media["examples"] = {"example": {"value": dict(self.operation.example_in)}}
        return body

    def _get_response_bodies(self, direction: Direction = "response") -> Document:
        operation = self.operation
        if operation is None:
            return {"200": {"description": ""}}
        success = self._success(operation, direction)
        bodies = {str(operation.status): success}
        for status, when in operation.also_status.items():
            bodies[str(status)] = {**success, "description": when}
        for status, codes in sorted(self._errors_by_status(operation).items()):
            bodies[str(status)] = self._failure(status, codes, operation)
        return bodies

    def _success(self, operation: Operation, direction: Direction) -> Document:
        if operation.status == 204:
            return {"description": "No body."}
        name, data = self._data(operation, direction)
        properties: Document = {"success": {"type": "boolean", "const": True}, "data": data}
        example: Document = {"success": True, "data": _example_data(operation)}
        if operation.listed == "all" and operation.meta is None:
            name = f"{name}List"
        elif operation.listed:
            shape = operation.meta or _META[operation.listed]
            meta = self.resolve_serializer(shape, direction)
            properties["meta"] = meta.ref
            example["meta"] = _example_meta(operation, meta.schema)
            # Two lists of the same items may tell different things about themselves.
            name = f"{name}{meta.name.removesuffix('Meta')}"
        envelope = self._component(f"{name}Envelope", _object(**properties))
        return {
            "content": {JSON: build_media_type_object(envelope.ref, {"example": {"value": example}})},
            "description": "",
        }

    def _data(self, operation: Operation, direction: Direction) -> tuple[str, Document]:
        """A name for the data, and its schema."""
        if operation.output is None:
            name, data = "Empty", {"type": "null"}
        elif isinstance(operation.output, type) and issubclass(operation.output, Serializer):
            component = self.resolve_serializer(operation.output, direction)
            name, data = component.name, component.ref
        else:
            name = "".join(part.capitalize() for part in operation.id.split("_"))
            data = dict(operation.output)
        if operation.listed:
            return name, {"type": "array", "items": data}
        return name, data

    def _errors_by_status(self, operation: Operation) -> dict[int, list[ErrorCode]]:
        by_status: dict[int, list[ErrorCode]] = defaultdict(list)
        for code in self._codes(operation):
            if code not in by_status[code.status]:
                by_status[code.status].append(code)
        return by_status

    def _codes(self, operation: Operation) -> Iterable[ErrorCode]:
        yield from operation.errors
        yield from ALWAYS
        if operation.input or self.method != "GET":
            # A method that takes no body refuses one.
            yield from WITH_BODY
        if not self.public:
            yield from (error_codes.get(key) for key in SIGNED_IN)
            if may_be_refused(getattr(self.view, "when_unpaid", WhenUnpaid.READS)):
                yield from (error_codes.get(key) for key in UNPAID)
        if "{" in self.path:
            yield errors.NOT_FOUND
        if operation.listed == "cursor":
            yield errors.INVALID_CURSOR
        if self.idempotent:
            yield from WITH_IDEMPOTENCY_KEY
        if getattr(self.view, "limits", {}).get(self.method):
            yield errors.RATE_LIMITED

    def _failure(self, status: int, codes: list[ErrorCode], operation: Operation) -> Document:
        """The error answer of one status; one component for all operations that have no code of their own in it."""
        for name, schema in _COMPONENTS.items():
            self._component(name, schema)
        response = _error_response(status, codes)
        if any(code.status == status for code in operation.errors):
            return response
        name = HTTPStatus(status).phrase.title().replace(" ", "")
        if errors.MALFORMED_JSON in codes:
            name = f"{name}Body"
        if errors.INVALID_CURSOR in codes:
            name = f"{name}Cursor"
        reference: Document = self._component(name, response, ResolvedComponent.RESPONSE).ref
        return reference

    def _component(self, name: str, schema: Document, kind: str = ResolvedComponent.SCHEMA) -> ResolvedComponent:
        component = ResolvedComponent(name, kind, schema, name)  # type: ignore[no-untyped-call]
        self.registry.register_on_missing(component)
        return component


def _error_response(status: int, codes: list[ErrorCode]) -> Document:
    # Beside a $ref, JSON Schema 2020-12 narrows what the $ref allows.
    narrowed = {"error": {"properties": {"code": {"enum": sorted(code.key for code in codes)}}}}
    response = {
        "description": "\n".join(f"- `{code.key}`: {code.message}" for code in codes),
        "content": {
            JSON: build_media_type_object(
                {"$ref": "#/components/schemas/ErrorEnvelope", "properties": narrowed},
                {"example": {"value": _example_error(codes[0])}},
            ),
            PROBLEM_JSON: build_media_type_object({"$ref": "#/components/schemas/Problem"}),
        },
    }
    return {"headers": _RETRY_AFTER, **response} if status in (429, 503) else response


def _example_data(operation: Operation) -> Any:
    example = operation.example
    if operation.listed and not isinstance(example, list):
        return [] if example is None else [example]
    return example


def _example_meta(operation: Operation, schema: Document) -> Document:
    known: Document = {
        "page": 1,
        "limit": operation.limit[0],
        "total": len(_example_data(operation)),
        "totalPages": 1,
        "totalIsEstimate": False,
        "nextCursor": None,
        "prevCursor": None,
        "complete": True,
        "hasMore": False,
    }
    return {name: known.get(name, 0) for name in schema["properties"]}


def _example_error(code: ErrorCode) -> Document:
    return {
        "success": False,
        "error": {
            "code": code.key,
            "message": code.message,
            "details": [],
            "context": {},
            "requestId": "0b7f2c9d5a614a1f8d2e3c4b5a697887",
        },
    }
