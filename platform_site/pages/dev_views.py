"""The pages of development: chat, billing and set-up for trying them out, and every mail that was sent here."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from platform_site.api.renderers import dump
from platform_site.local.mailstore import StoredMail, get_message, list_messages
from platform_site.moments import wire_time

View = Callable[..., HttpResponse]

# A mail may style itself and show pictures that it carries, and nothing else.
_MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"


def development_only(view: View) -> View:
    """404 unless this is a development machine, however the view came to be mounted."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.DEVELOPMENT_PAGES:
            raise Http404
        response = view(request, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        return response

    return guarded


@development_only
@require_safe
def chat(request: HttpRequest) -> HttpResponse:
    """Two windows are two people. All of it is done with the API and the socket."""
    return render(request, "pages/dev_chat.html", {"product": settings.PRODUCT_NAME})


@development_only
@require_safe
def billing(request: HttpRequest) -> HttpResponse:
    """Plan, payment and seats of a workspace, as a product's frontend would show them."""
    # The local Stripe, whose clock can be moved; "" for Stripe itself.
    context = {"product": settings.PRODUCT_NAME, "stripe": settings.STRIPE_API_BASE}
    return render(request, "pages/dev_billing.html", context)


@development_only
@require_safe
def setup(request: HttpRequest) -> HttpResponse:
    """How far a workspace's set-up is, and what waits for whoever looks."""
    return render(request, "pages/dev_setup.html", {"product": settings.PRODUCT_NAME})


@development_only
@require_safe
def mail(request: HttpRequest) -> HttpResponse:
    return render(request, "pages/dev_mail.html", {"product": settings.PRODUCT_NAME})


@development_only
@require_safe
def mail_json(request: HttpRequest) -> HttpResponse:
    """The mails, newest first."""
    mails = [_present(message) for message in list_messages(settings.LAYOUT.mail_dir)]
    return HttpResponse(dump(mails), content_type="application/json")


@development_only
@require_safe
def mail_html(request: HttpRequest, message_id: str) -> HttpResponse:
    """One mail's HTML, for the frame of the mailbox: without scripts, forms or anything from elsewhere."""
    message = get_message(settings.LAYOUT.mail_dir, message_id)
    if message is None or not message.html:
        raise Http404
    headers = {"Content-Security-Policy": _MAIL_POLICY, "X-Frame-Options": "SAMEORIGIN"}
    return HttpResponse(message.html, headers=headers)


def _present(message: StoredMail) -> dict[str, str]:
    return {
        "id": message.id,
        "to": message.to,
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
        "sentAt": wire_time(message.sent_at),
    }
