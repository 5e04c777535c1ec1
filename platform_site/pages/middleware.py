"""What only pages need: sessions, staff sign-in, forms, and what a browser may load.

Each class is Django's own with one difference: requests of the API pass it by,
because they carry a token, have no forms and should not pay for either. They
stand one by one in ``MIDDLEWARE``, so that Django registers their hooks and the
admin's system checks find them.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.utils.deprecation import MiddlewareMixin


def is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/") or request.path_info == "/api"


class PagesOnly(MiddlewareMixin):
    """Put before one of Django's middleware classes, it keeps API requests out of it."""

    def __call__(self, request: HttpRequest) -> Any:
        if is_api(request):
            return self.get_response(request)
        return super().__call__(request)


class PageSession(PagesOnly, SessionMiddleware):
    pass


class PageCommon(PagesOnly, CommonMiddleware):
    pass


class PageCsrf(PagesOnly, CsrfViewMiddleware):
    def process_view(
        self, request: HttpRequest, callback: Callable[..., HttpResponseBase], args: Any, kwargs: Any
    ) -> Any:
        # Django calls this hook beside __call__, for every request.
        if is_api(request):
            return None
        return super().process_view(request, callback, args, kwargs)


class PageAuthentication(PagesOnly, AuthenticationMiddleware):
    pass


class PageMessages(PagesOnly, MessageMiddleware):
    pass


_STRICT = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "frame-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}


def policy(**changes: str) -> str:
    """Everything from here and nothing inline, with ``changes`` (``style_src="…"``)."""
    directives = _STRICT | {name.replace("_", "-"): value for name, value in changes.items()}
    return "; ".join(f"{name} {value}" for name, value in directives.items())


STRICT_POLICY = policy()
# Two foreign applications need more; neither needs anything from outside.
_POLICIES: Mapping[str, str] = {
    # Alpine, on which unfold is built, compiles expressions that stand in attributes.
    "/admin/": policy(
        script_src="'self' 'unsafe-inline' 'unsafe-eval'",
        style_src="'self' 'unsafe-inline'",
    ),
    # Swagger UI writes styles into its elements.
    "/api/docs": policy(style_src="'self' 'unsafe-inline'"),
}


class ContentSecurityPolicy:
    """Every page says what it may load. A view that says so itself is left alone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/html") and not _debug_page(response):
            response.headers.setdefault("Content-Security-Policy", _policy_for(request.path_info))
        return response


def _policy_for(path: str) -> str:
    return next((value for start, value in _POLICIES.items() if path.startswith(start)), STRICT_POLICY)


def _debug_page(response: HttpResponse) -> bool:
    """Django's own error pages for developers carry their styles and scripts inside."""
    return settings.DEBUG and response.status_code >= 400
