"""Model fields of our own. Migrations see Django's, so that they import no code of ours."""

import json
from typing import Any, Final

from django.db import models

from platform_site.ids import uuid7


class Uuid7Field(models.UUIDField):  # type: ignore[type-arg]
    """A UUID that is made here."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("default", uuid7)
        kwargs.setdefault("editable", False)
        super().__init__(**kwargs)

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        kwargs.pop("default", None)
        return name, "django.db.models.UUIDField", args, kwargs


_LARGEST: Final = 2**63


class _Decoder(json.JSONDecoder):
    """Reads a whole number of more than 64 bits as the double that it came in as.

    The API's JSON knows such numbers as doubles only (RFC 8259, 6); jsonb writes a
    double without a fraction as a whole number, so 1e20 comes back in 21 digits.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "parse_int": _number})


def _number(text: str) -> int | float:
    number = int(text)
    return number if -_LARGEST <= number < _LARGEST else float(number)


class JsonField(models.JSONField):
    """JSON that gives back what was put in, in numbers that the API can say."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{**kwargs, "decoder": _Decoder})

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        kwargs.pop("decoder")
        return name, "django.db.models.JSONField", args, kwargs
