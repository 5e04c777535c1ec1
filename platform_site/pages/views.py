"""The start page, the pages about one's own account, and the pages for what went wrong."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from platform_site.api.exceptions import http_error
from platform_site.errors import INTERNAL_ERROR, NOT_FOUND, PlatformError
from platform_site.pages.middleware import STRICT_POLICY, is_api


@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """What this is and where to go from here."""
    context = {
        "product": settings.PRODUCT_NAME,
        "development": settings.DEVELOPMENT_PAGES,
        "address": settings.PUBLIC_URL,
    }
    return render(request, "pages/start.html", context)


@require_safe
def person_page(request: HttpRequest, *, template: str, token: str = "") -> HttpResponse:
    """A page on which somebody does something about an account, all of it with the API.

    Opening the page changes nothing, because mail scanners open links. The token
    of a mailed link stays in the address: it is in no title, no markup and no
    referrer.
    """
    response = render(request, template, {"product": settings.PRODUCT_NAME})
    response["Referrer-Policy"] = "no-referrer"
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response


@require_safe
def product_page(request: HttpRequest, *, development_page: str) -> HttpResponse:
    """A page of the product's frontend, to which others lead, such as the checkout, where there is no frontend.

    On a development machine it is a page for trying it out, and what stands in the address goes along.
    """
    if settings.DEVELOPMENT_PAGES:
        query = request.META.get("QUERY_STRING", "")
        answer: HttpResponse = HttpResponseRedirect(f"{development_page}?{query}" if query else development_page)
    else:
        answer = render(request, "pages/back_to_product.html", {"product": settings.PRODUCT_NAME})
    # The address of somebody who comes back from paying names the payment.
    answer["Referrer-Policy"] = "no-referrer"
    answer["Cache-Control"] = "no-store"
    answer["X-Robots-Tag"] = "noindex"
    return answer


def page_not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if is_api(request):
        return http_error(PlatformError(NOT_FOUND), request)
    return _plain(request, "pages/not_found.html", 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Whatever broke may be broken still, so this asks nothing of the request, the session or the database."""
    if is_api(request):
        return http_error(PlatformError(INTERNAL_ERROR), request)
    return _plain(request, "pages/server_error.html", 500)


def _plain(request: HttpRequest, template: str, status: int) -> HttpResponse:
    body = render_to_string(template, {"product": settings.PRODUCT_NAME})
    return HttpResponse(body, status=status, headers={"Content-Security-Policy": STRICT_POLICY})
