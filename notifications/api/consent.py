"""``/notifications/preferences/tracking-consent``: whether it may be noticed that one opens mails."""

from datetime import datetime

from rest_framework.request import Request
from rest_framework.response import Response

from notifications.api.outside_shapes import ConsentInput, ConsentOutput
from notifications.services.consent import consent_given_at, consent_set
from platform_site.api.docs import operation
from platform_site.api.permissions import SignedIn
from platform_site.api.unpaid import WhenUnpaid
from platform_site.api.views import ApiView


class ConsentView(ApiView):
    when_unpaid = WhenUnpaid.CONTINUES
    access = SignedIn()

    @operation(
        id="notifications_tracking_consent",
        summary="Whether one agreed that opening mails is noticed",
        output=ConsentOutput,
        example={"consent": False, "givenAt": None},
    )
    def get(self, request: Request) -> Response:
        return _shown(consent_given_at(user_id=self.identity.user_id))

    @operation(
        id="notifications_tracking_consent_set",
        summary="Agree that opening mails is noticed, or agree no longer",
        description="It is asked again at each opening: nothing is noticed any more of who agrees no longer,"
        " in old mails either.",
        input=ConsentInput,
        output=ConsentOutput,
        example_in={"consent": True},
        example={"consent": True, "givenAt": "2026-11-23T09:00:00.000Z"},
    )
    def put(self, request: Request) -> Response:
        return _shown(consent_set(actor=self.identity, consent=self.read(ConsentInput)["consent"]))

    patch = put


def _shown(given_at: datetime | None) -> Response:
    return Response(ConsentOutput({"consent": given_at is not None, "given_at": given_at}).data)
