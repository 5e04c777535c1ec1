"""``/t``: the pixel of a mail, and its links. No part of the API: mail programs load them.

Whatever is wrong, the picture is shown and the link leads on: the reader has
nothing to do with it.
"""

import base64
from typing import Final

import structlog
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from notifications.machines import looks_like_a_machine
from notifications.mailing.tokens import MailToken, Purpose, read_mail_token, tenant_of_mail_token
from notifications.services.engagement import engaged
from platform_site import context
from platform_site.binding import bind
from platform_site.outbox.clock import working_now

log = structlog.get_logger(__name__)

_PIXEL: Final = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_PRIVATE: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


@require_safe
def opened(request: HttpRequest, token: str) -> HttpResponse:
    found = read_mail_token(token, Purpose.OPEN)
    if found is not None:
        _report(request, found, clicked=False)
    # It stands in mails, which have no origin of ours.
    headers = {**_PRIVATE, "Cross-Origin-Resource-Policy": "cross-origin"}
    return HttpResponse(_PIXEL, content_type="image/gif", headers=headers)


@require_safe
def clicked(request: HttpRequest, token: str) -> HttpResponse:
    """Lead to the address that we signed, and to no other."""
    found = read_mail_token(token, Purpose.CLICK)
    if found is None:
        raise Http404
    _report(request, found, clicked=True)
    return HttpResponseRedirect(found.scope[1:], headers=_PRIVATE)


def _report(request: HttpRequest, token: MailToken, *, clicked: bool) -> None:
    machine = looks_like_a_machine(
        user_agent=request.headers.get("User-Agent", ""),
        address=context.current().origin,
        method=request.method or "",
        purpose=f"{request.headers.get('Sec-Purpose', '')} {request.headers.get('Purpose', '')}",
    )
    try:
        tenant = tenant_of_mail_token(token)
        if tenant is not None:
            with bind(tenant):
                engaged(
                    kind=token.scope[:1],
                    subject_id=token.subject_id,
                    clicked=clicked,
                    machine=machine,
                    at=working_now(),
                )
    except Exception:
        log.exception("tracking.not_counted", tenant=str(token.tenant_id))
