"""Fields for time zones and languages."""

from collections.abc import Callable
from typing import Any

from django.core.validators import RegexValidator
from rest_framework.exceptions import ValidationError

from platform_site.api.serializers import Text
from platform_site.locales import LOCALE_PATTERN, valid_locale, valid_timezone

_LOCALE = RegexValidator(rf"^{LOCALE_PATTERN}$", code="invalid")


class TimeZone(Text):
    """The name of a zone of the IANA list."""

    def to_internal_value(self, data: Any) -> str:
        return _checked(valid_timezone, super().to_internal_value(data))


class Locale(Text):
    """A language tag, such as de-AT."""

    def __init__(self, **options: Any) -> None:
        # For the document; ``valid_locale`` has a sentence for people that says the same.
        super().__init__(**options, validators=[_LOCALE])

    def to_internal_value(self, data: Any) -> str:
        return _checked(valid_locale, super().to_internal_value(data))


def _checked(valid: Callable[[Any], str], text: str) -> str:
    try:
        return valid(text)
    except ValueError as error:
        raise ValidationError(str(error), code="invalid") from None
