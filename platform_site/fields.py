"""Model fields of our own."""

from typing import Any

from django.db import models

from platform_site.ids import uuid7


class Uuid7Field(models.UUIDField):  # type: ignore[type-arg]
    """A UUID that is made here; migrations see a plain one, so that they import no code of ours."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("default", uuid7)
        kwargs.setdefault("editable", False)
        super().__init__(**kwargs)

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        kwargs.pop("default", None)
        return name, "django.db.models.UUIDField", args, kwargs
