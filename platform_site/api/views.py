"""``ApiView``: read, call, present, return.

A view declares who may call it (``access``), what limits it (``limits``) and
which methods keep an Idempotency-Key (``idempotent``); the rest is four lines.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from platform_site import context
from platform_site.api.docs import operation_of
from platform_site.api.exceptions import http_error
from platform_site.api.identity import Identity
from platform_site.api.impersonating import ImpersonatedRule, WhenImpersonated, refuse_impersonated
from platform_site.api.permissions import Access
from platform_site.api.renderers import EnvelopeRenderer
from platform_site.api.serializers import Shape
from platform_site.api.unpaid import WhenUnpaid, refuse_unpaid
from platform_site.errors import NOT_FOUND, UNKNOWN_PARAMETER, FieldError, PlatformError
from platform_site.idempotency.http import answer_once
from platform_site.limits import Spent, spend

_RENDERER = EnvelopeRenderer()


class Nothing(Shape):
    """A body without fields, or none at all."""


class ApiView(APIView):
    """One class per path, one method per HTTP method."""

    access: ClassVar[Access | Mapping[str, Access]]
    # Method -> names in settings.RATE_LIMITS, counted by the client's address.
    limits: ClassVar[Mapping[str, Sequence[str]]] = {}
    # Methods that create and therefore honour Idempotency-Key.
    idempotent: ClassVar[frozenset[str]] = frozenset()
    # What of it works in a workspace that was not paid for.
    when_unpaid: ClassVar[WhenUnpaid] = WhenUnpaid.READS
    # What of it is open to support that is signed in as somebody.
    when_impersonated: ClassVar[ImpersonatedRule] = WhenImpersonated.READS
    # Method -> names of the query parameters it knows.
    parameters: ClassVar[Mapping[str, Sequence[str]]] = {}

    _spent: Sequence[Spent] = ()

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:
        """There is one format; an Accept header asks for problem+json at most."""
        return _RENDERER, _RENDERER.media_type

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        self._spent = ()
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        method = request.method or ""
        if not hasattr(self, method.lower()):
            # Before anything about the request is judged: it could not be right here.
            raise MethodNotAllowed(method)
        self.perform_authentication(request)
        self.check_permissions(request)
        refuse_impersonated(self.when_impersonated, method, request.user)
        refuse_unpaid(self.when_unpaid, method, request.user)
        names = self.limits.get(method)
        if names:
            origin = context.current().origin
            self._spent = [spend(name, origin) for name in names]
        self._check_parameters(request, method)
        self._refuse_stray_body(request, method)
        if method in self.idempotent and "Idempotency-Key" in request.headers:
            name = method.lower()
            setattr(self, name, self._once(getattr(self, name)))

    def _once(self, handler: Callable[..., Response]) -> Callable[..., Response]:
        def once(request: Request, *args: Any, **kwargs: Any) -> Response:
            return answer_once(request, lambda: handler(request, *args, **kwargs))

        return once

    def _check_parameters(self, request: Request, method: str) -> None:
        known = self.parameters.get(method, ())
        unknown = [name for name in request.query_params if name not in known]
        if unknown:
            raise PlatformError(
                UNKNOWN_PARAMETER,
                details=[FieldError(name, UNKNOWN_PARAMETER.key, UNKNOWN_PARAMETER.message) for name in unknown],
            )

    def _refuse_stray_body(self, request: Request, method: str) -> None:
        """A method that reads no body refuses fields, as the others refuse fields that they do not know."""
        described = operation_of(self, method)
        if method in ("GET", "HEAD") or described is None or described.input is not None:
            return
        self.read(Nothing)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        for spent in self._spent:
            spent.add_headers(response)
        return response

    def options(self, request: Request, *args: Any, **kwargs: Any) -> Response:  # type: ignore[override]
        """Only ``Allow``: DRF's description of parsers and renderers says nothing here."""
        return Response(None, status=204, headers={"Allow": ", ".join(self.allowed_methods)})

    def read(self, shape: type[Serializer[Any]]) -> dict[str, Any]:
        """The request's body as ``shape`` says, in snake_case; raises ``validation_failed``."""
        serializer = shape(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        data: dict[str, Any] = serializer.validated_data
        return data

    @property
    def identity(self) -> Identity:
        """Who asks. Only for views that are not public."""
        identity: Identity = self.request.user  # type: ignore[assignment]
        return identity


def not_found(request: HttpRequest, **_: object) -> HttpResponse:
    """The last route below ``/api/``: JSON, also where DEBUG would show a page."""
    return http_error(PlatformError(NOT_FOUND), request)
