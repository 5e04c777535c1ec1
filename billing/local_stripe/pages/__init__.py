"""The pages that people see: checkout, portal, invoice, and an overview of everything."""

import logging
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from billing.local_stripe.errors import Refusal
from billing.local_stripe.http import Request, Response
from billing.local_stripe.pages.checkout import CheckoutPages
from billing.local_stripe.pages.invoice import InvoicePages
from billing.local_stripe.pages.overview import OverviewPages
from billing.local_stripe.pages.portal import PortalPages
from billing.local_stripe.pages.rendering import Renderer

if TYPE_CHECKING:
    from billing.local_stripe.server import LocalStripe

logger = logging.getLogger(__name__)

View = Callable[..., Response]

_STYLE = Path(__file__).parent / "static" / "style.css"


class Pages:
    """Finds the page, and lets forms come from our own pages only."""

    def __init__(self, server: "LocalStripe") -> None:
        self._server = server
        self._renderer = Renderer(server.world)
        checkout = CheckoutPages(server, self._renderer)
        portal = PortalPages(server, self._renderer)
        invoice = InvoicePages(server, self._renderer)
        overview = OverviewPages(server, self._renderer)
        self._views: list[tuple[str, re.Pattern[str], View]] = [
            ("GET", re.compile(r"/"), overview.show),
            ("POST", re.compile(r"/clock"), overview.move_clock),
            ("POST", re.compile(r"/faults"), overview.add_fault),
            ("POST", re.compile(r"/faults/clear"), overview.clear_faults),
            ("POST", re.compile(r"/events/(\w+)/resend"), overview.resend),
            ("POST", re.compile(r"/customers/(\w+)/portal"), overview.open_portal),
            ("GET", re.compile(r"/c/pay/(\w+)"), checkout.show),
            ("POST", re.compile(r"/c/pay/(\w+)"), checkout.subscribe),
            ("GET", re.compile(r"/i/(\w+)"), invoice.show),
            ("POST", re.compile(r"/i/(\w+)"), invoice.pay),
            ("GET", re.compile(r"/p/session/(\w+)"), portal.show),
            ("POST", re.compile(r"/p/session/(\w+)/card"), portal.change_card),
            ("POST", re.compile(r"/p/session/(\w+)/cancel"), portal.cancel),
            ("POST", re.compile(r"/p/session/(\w+)/resume"), portal.resume),
            ("POST", re.compile(r"/p/session/(\w+)/plan"), portal.change_plan),
        ]

    def answer(self, request: Request) -> Response:
        if request.path == "/style.css":
            return Response(200, _STYLE.read_bytes(), {"Content-Type": "text/css; charset=utf-8"})
        if request.method == "POST" and not _is_from_here(request):
            return self._renderer.problem(403, "This form was sent by a page elsewhere.")
        method = "GET" if request.method == "HEAD" else request.method
        for wanted, pattern, view in self._views:
            match = pattern.fullmatch(request.path)
            if match and wanted == method:
                return self._show(view, request, match.groups())
        return self._renderer.problem(404, "There is no such page.")

    def _show(self, view: View, request: Request, values: tuple[str, ...]) -> Response:
        # Nothing changes while a page is written.
        with self._server.store.lock:
            try:
                return view(request, *values)
            except Refusal as refusal:
                return self._renderer.problem(refusal.status, refusal.message)


def _is_from_here(request: Request) -> bool:
    """Browsers send both headers with every form; one of them is enough."""
    origin = request.headers.get("origin")
    if origin is not None:
        return origin == f"http://{request.headers.get('host', '')}"
    return request.headers.get("sec-fetch-site") == "same-origin"
