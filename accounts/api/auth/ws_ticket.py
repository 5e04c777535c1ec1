"""``/auth/ws-ticket``: opening a WebSocket without a token in its address."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.auth.responses import NO_STORE
from accounts.services.ws_tickets import TICKET_SECONDS, ws_ticket_issue
from platform_site.api.docs import operation
from platform_site.api.impersonating import WhenImpersonated
from platform_site.api.permissions import SignedIn
from platform_site.api.serializers import Shape, Text, Whole
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView
from platform_site.errors import RATE_LIMITED


class WsTicketOutput(Shape):
    ticket = Text()
    expires_in = Whole()


class WsTicketView(ApiView):
    when_unpaid = WhenUnpaid.ALWAYS
    when_impersonated = WhenImpersonated.WORKS
    access = SignedIn()

    @operation(
        id="auth_ws_ticket",
        summary="A ticket that opens one WebSocket for this session, within 30 seconds",
        output=WsTicketOutput,
        example={"ticket": "q3J5bW9uZ29vc2UtYW5kLW90aGVyLXNtYWxsLXRoaW5ncw", "expiresIn": TICKET_SECONDS},
        errors=[RATE_LIMITED],
    )
    def post(self, request: Request) -> Response:
        ticket = ws_ticket_issue(actor=self.identity)
        return Response({"ticket": ticket, "expiresIn": TICKET_SECONDS}, headers=NO_STORE)
