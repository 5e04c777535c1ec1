"""The page to which the link at the end of a mail leads, and what mail programs post to it.

Opening it changes nothing, because mail scanners open links. The token is the
authority: there is no session, so there is no form token either, and it works
without scripts.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from accounts.emails import masked_address
from notifications.services import unsubscribing
from notifications.services.unsubscribing import Reader, reader_of
from platform_site.errors import PlatformError

_HEADERS = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe_page(request: HttpRequest, token: str) -> HttpResponse:
    one_click = request.method == "POST" and "List-Unsubscribe" in request.POST
    try:
        with reader_of(token) as reader:
            if one_click:
                unsubscribing.unsubscribe(reader)
                return _private(HttpResponse("You are unsubscribed.\n", content_type="text/plain"))
            done = _do(request, reader) if request.method == "POST" else ""
            return _page(request, reader, done)
    except PlatformError:
        response = render(request, "pages/not_found.html", {"product": settings.PRODUCT_NAME}, status=404)
        return _private(response)


def _do(request: HttpRequest, reader: Reader) -> str:
    """What a button of the page says. Gives what was done, in words."""
    action = request.POST.get("action")
    if action == "this":
        unsubscribing.unsubscribe(reader)
        return "You are unsubscribed."
    if action == "all":
        unsubscribing.unsubscribe(reader, everything=True)
        return "You are unsubscribed from all optional mail."
    if action == "again":
        unsubscribing.subscribe_again(reader)
        return "Mail comes again, as chosen below."
    if action == "choose":
        unsubscribing.choices_set(reader, request.POST.getlist("event"))
        return "Your choices are kept."
    return ""


def _page(request: HttpRequest, reader: Reader, done: str) -> HttpResponse:
    context = {
        "product": settings.PRODUCT_NAME,
        "address": masked_address(reader.user.email),
        "reader": reader,
        "subscribed": unsubscribing.subscribed(reader),
        "nothing": unsubscribing.gets_nothing_optional(reader),
        "switches": unsubscribing.switches(reader),
        "done": done,
    }
    return _private(render(request, "pages/unsubscribe.html", context))


def _private(response: HttpResponse) -> HttpResponse:
    for name, value in _HEADERS.items():
        response[name] = value
    return response
