"""``/notifications/unsubscribe``: for frontends that show a page of their own to who comes from a mail."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.emails import masked_address
from notifications.api.outside_shapes import LeaveInput, SubscriptionOutput
from notifications.services.unsubscribing import Reader, reader_of, subscribed, unsubscribe
from platform_site.api.docs import operation
from platform_site.api.permissions import Public
from platform_site.api.views import ApiView
from platform_site.errors import NOT_FOUND

SUBSCRIPTION = {
    "email": "a***@acme.test",
    "scope": "event",
    "eventKey": "sales.lead_assigned",
    "label": "A lead was assigned to you",
    "subscribed": False,
}


class UnsubscribeView(ApiView):
    access = Public()
    limits: ClassVar = {"GET": ["unsubscribe_origin"], "POST": ["unsubscribe_origin"]}

    @operation(
        id="notifications_subscription",
        summary="From what the link in a mail unsubscribes",
        description="Changes nothing: programs that look into mails open links.",
        output=SubscriptionOutput,
        example={**SUBSCRIPTION, "subscribed": True},
        errors=[NOT_FOUND],
    )
    def get(self, request: Request, token: str) -> Response:
        with reader_of(token) as reader:
            return Response(_subscription(reader))

    @operation(
        id="notifications_unsubscribe",
        summary="Unsubscribe with the link in a mail",
        description="From what the mail was about or, with `all`, from all mail that is not mandatory. The link is"
        " enough: nobody has to sign in. The same again changes nothing.",
        input=LeaveInput,
        output=SubscriptionOutput,
        example_in={"all": False},
        example=SUBSCRIPTION,
        errors=[NOT_FOUND],
    )
    def post(self, request: Request, token: str) -> Response:
        data = self.read(LeaveInput)
        with reader_of(token) as reader:
            unsubscribe(reader, everything=data.get("all", False))
            return Response(_subscription(reader))


def _subscription(reader: Reader) -> dict[str, Any]:
    shown = {
        "email": masked_address(reader.user.email),
        "scope": reader.scope,
        "event_key": reader.event_key or None,
        "label": reader.label,
        "subscribed": subscribed(reader),
    }
    return dict(SubscriptionOutput(shown).data)
