"""``/settings/email/suppressions``: addresses that get no mail."""

from typing import ClassVar
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from notifications.api.email_settings import examples
from notifications.catalog import EMAIL_SETTINGS_MANAGE
from notifications.models import Suppression
from notifications.services.suppressing import suppression_lift, suppressions
from platform_site.api.docs import operation
from platform_site.api.pagination import PAGE_PARAMETERS, PageQuery, paginate
from platform_site.api.permissions import Needs
from platform_site.api.renderers import Listed
from platform_site.api.serializers import Moment, Shape, Text, YesNo
from platform_site.api.views import ApiView


class SuppressionOutput(Shape):
    """An address whose person was erased is "". A null ``expiresAt`` is for good."""

    id = serializers.UUIDField()
    email = Text()
    reason = serializers.ChoiceField(choices=Suppression.Reason.values)
    scope = serializers.ChoiceField(choices=Suppression.Scope.values)
    detail = Text()
    created_at = Moment()
    expires_at = Moment(allow_null=True)


class LiftedOutput(Shape):
    id = serializers.UUIDField()
    lifted = YesNo()


class SuppressionsView(ApiView):
    access = Needs(EMAIL_SETTINGS_MANAGE)
    parameters: ClassVar = {"GET": PAGE_PARAMETERS}

    @operation(
        id="email_suppressions",
        summary="Addresses that get no mail, newest first",
        description="`scope` all: none at all. optional: only what nobody can turn off.",
        output=SuppressionOutput,
        example=examples.SUPPRESSION,
        listed="page",
    )
    def get(self, request: Request) -> Listed:
        items, meta = paginate(suppressions(), PageQuery.from_request(request))
        return Listed([dict(SuppressionOutput(item).data) for item in items], meta)


class SuppressionView(ApiView):
    access = Needs(EMAIL_SETTINGS_MANAGE)

    @operation(
        id="email_suppression_lift",
        summary="Send mail to this address again",
        output=LiftedOutput,
        example={"id": examples.SUPPRESSION["id"], "lifted": True},
    )
    def delete(self, request: Request, suppression_id: UUID) -> Response:
        suppression_lift(suppression_id)
        return Response({"id": str(suppression_id), "lifted": True})
