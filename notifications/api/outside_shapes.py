"""What readers of mails and mail providers say and hear."""

from rest_framework import serializers

from notifications.services.unsubscribing import SCOPES
from platform_site.api.serializers import Moment, Shape, Text, YesNo


class SubscriptionOutput(Shape):
    """``email`` is masked; ``eventKey`` is null for digests and for all mail."""

    email = Text()
    scope = serializers.ChoiceField(choices=SCOPES)
    event_key = Text(allow_null=True)
    # An argument of every field is called so too; here it is a field.
    label = Text()  # type: ignore[assignment]
    subscribed = YesNo()


class LeaveInput(Shape):
    all = YesNo(required=False)


class ConsentInput(Shape):
    consent = YesNo()


class ConsentOutput(Shape):
    consent = YesNo()
    given_at = Moment(allow_null=True)


class ReceivedOutput(Shape):
    received = YesNo()
