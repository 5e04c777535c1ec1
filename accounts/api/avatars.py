"""``/avatars``: pictures of people, for whoever has the address. No part of the API: browsers load them."""

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from accounts.services.avatars import avatar_get
from platform_site import context, limits
from platform_site.api.exceptions import http_error
from platform_site.errors import PlatformError


@require_safe
def avatar(request: HttpRequest, token: str) -> HttpResponse:
    try:
        limits.spend("avatar_origin", context.current().origin)
        found = avatar_get(token=token)
    except PlatformError as error:
        refusal = http_error(error, request)
        refusal["Cache-Control"] = "no-store"
        return refusal
    etag = f'"{found.id.hex}"'
    response = HttpResponse(
        bytes(found.image),
        content_type="image/webp",
        headers={
            # A new picture has a new address.
            "Cache-Control": "public, max-age=31536000, immutable",
            "ETag": etag,
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'",
            # The product's frontend may have an origin of its own.
            "Cross-Origin-Resource-Policy": "cross-origin",
        },
    )
    return get_conditional_response(request, etag=etag, response=response) or response
