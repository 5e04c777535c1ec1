"""``/settings/email``: the sections that are only values, all alike."""

from collections.abc import Mapping
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from notifications.api.email_settings import examples
from notifications.api.email_settings.serializers import (
    ComplianceInput,
    ComplianceOutput,
    FooterInput,
    FooterOutput,
    SenderInput,
    SenderOutput,
    TrackingSettingsInput,
    TrackingSettingsOutput,
)
from notifications.catalog import EMAIL_SETTINGS_MANAGE
from notifications.email_settings.change import section_set
from notifications.email_settings.read import section_values
from notifications.email_settings.sections import COMPLIANCE, FOOTER, SENDER, TRACKING, Section
from platform_site.api.docs import operation
from platform_site.api.permissions import Needs, SignedIn
from platform_site.api.serializers import Shape
from platform_site.api.views import ApiView

MANAGED: Mapping[str, Any] = {
    "GET": SignedIn(),
    "PUT": Needs(EMAIL_SETTINGS_MANAGE),
    "PATCH": Needs(EMAIL_SETTINGS_MANAGE),
}


def section_view(
    section: Section,
    *,
    about: str,
    takes: type[Shape],
    gives: type[Shape],
    example: Mapping[str, Any],
    example_in: Mapping[str, Any],
    description: str,
) -> type[ApiView]:
    """The view of one section."""

    class SectionView(ApiView):
        access: ClassVar = MANAGED

        @operation(id=f"email_{section.key}", summary=about, output=gives, example=example)
        def get(self, request: Request) -> Response:
            return Response(dict(gives(section_values(section)).data))

        @operation(
            id=f"email_{section.key}_set",
            summary=f"Change: {about[0].lower()}{about[1:]}",
            description=f"What is not named stays; null goes back to the default. {description}".strip(),
            input=takes,
            output=gives,
            example_in=example_in,
            example=example,
        )
        def put(self, request: Request) -> Response:
            return Response(dict(gives(section_set(section, self.read(takes))).data))

        patch = put

    SectionView.__name__ = SectionView.__qualname__ = f"{section.key.title()}View"
    return SectionView


SenderView = section_view(
    SENDER,
    about="Whose name mail comes in, and who gets the answers",
    takes=SenderInput,
    gives=SenderOutput,
    example=examples.SENDER,
    example_in=examples.SENDER,
    description="The address itself is the platform's, or that of the company's own mail server.",
)
TrackingView = section_view(
    TRACKING,
    about="Whether it is noticed that mail is opened",
    takes=TrackingSettingsInput,
    gives=TrackingSettingsOutput,
    example=examples.TRACKING,
    example_in={"openTracking": False, "retentionDays": 90},
    description="Off at first. With `requireConsent` nobody is tracked who has not agreed.",
)
ComplianceView = section_view(
    COMPLIANCE,
    about="What the law wants of mail",
    takes=ComplianceInput,
    gives=ComplianceOutput,
    example=examples.COMPLIANCE,
    example_in={"canSpam": {"enabled": True, "physicalAddress": "1 Main Street, Springfield"}},
    description="`canSpam` takes a postal address.",
)
FooterView = section_view(
    FOOTER,
    about="What stands at the end of every mail",
    takes=FooterInput,
    gives=FooterOutput,
    example=examples.FOOTER,
    example_in={"enabled": True, "html": "<p>{{ company }}, {{ address }}</p>"},
    description="At most 10 KB of plain HTML, with the variables company, address, unsubscribe_url and"
    " preferences_url. What is not allowed in it is taken out.",
)
