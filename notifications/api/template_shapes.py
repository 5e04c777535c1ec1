"""What templates look like on the wire."""

from rest_framework import serializers

from platform_site.api.serializers import FreeMap, Moment, Shape, Text, Whole, YesNo
from platform_site.notification_events import EMAIL, IN_APP

MOST_HTML, MOST_TEXT = 100 * 1024, 50 * 1024


class Source(serializers.CharField):
    """A text of several lines, as it was written; only texts count, and NUL is in none."""

    default_error_messages = {"not_text": "This must be a text."}

    def __init__(self, **options: object) -> None:
        super().__init__(**{"trim_whitespace": False, "allow_blank": True, **options})  # type: ignore[arg-type]

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("not_text")
        text: str = super().to_internal_value(data)
        return text


class CustomizeInput(Shape):
    """What is not named stays, null takes the default's again. ``version`` is the one that it was made from."""

    subject = Text(required=False, allow_null=True, max_length=200)
    body_html = Source(required=False, allow_null=True, max_length=MOST_HTML)
    body_text = Source(required=False, allow_null=True, max_length=MOST_TEXT)
    version = Whole(required=False, min_value=0, max_value=2**31 - 1)


class PreviewInput(Shape):
    """Texts that are not stored take the place of those that are; ``data`` that of sample values."""

    subject = Text(required=False, allow_null=True, max_length=200)
    body_html = Source(required=False, allow_null=True, max_length=MOST_HTML)
    body_text = Source(required=False, allow_null=True, max_length=MOST_TEXT)
    data = FreeMap(required=False)


class TemplateItemOutput(Shape):
    id = Text()
    event_key = Text()
    channel = serializers.ChoiceField(choices=(IN_APP, EMAIL))
    name = Text()
    is_customized = YesNo()
    version = Whole(allow_null=True)
    customized_at = Moment(allow_null=True)
    customized_by = serializers.UUIDField(allow_null=True)
    base_outdated = YesNo()


class TemplateModuleOutput(Shape):
    key = Text()
    # An argument of every field is called so too; here it is a field.
    label = Text()  # type: ignore[assignment]
    templates = TemplateItemOutput(many=True)


class TemplatesOutput(Shape):
    modules = TemplateModuleOutput(many=True)


class VariableOutput(Shape):
    name = Text()
    type = serializers.ChoiceField(choices=("text", "number", "boolean", "list", "map"))
    # As above.
    required = YesNo()  # type: ignore[assignment]
    example = serializers.JSONField(allow_null=True)
    description = Text()


class SourceOutput(Shape):
    subject = Text()
    body_html = Text()
    body_text = Text()


class TemplateOutput(TemplateItemOutput):
    subject = Text()
    body_html = Text()
    body_text = Text()
    variables = VariableOutput(many=True)
    default = SourceOutput()
    base_version = Text(allow_null=True)
    current_base_version = Text()


class ResetOutput(TemplateOutput):
    was_customized = YesNo()


class PreviewOutput(Shape):
    """``html`` is for a sandboxed frame; "" where the channel has none."""

    subject = Text()
    html = Text()
    text = Text()
    used_version = Text()
    missing_variables = serializers.ListField(child=Text())
    warnings = serializers.ListField(child=Text())
    size_bytes = Whole()
