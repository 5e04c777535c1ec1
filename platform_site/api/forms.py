"""multipart/form-data, for the few paths that take a file: as strict as the JSON parser."""

from collections.abc import Mapping
from typing import IO, Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, MultiPartParser

from platform_site.errors import MALFORMED_REQUEST, PlatformError

FORM = "multipart/form-data"
# What stands where bytes were not UTF-8.
_REPLACEMENT = "\ufffd"


class StrictFormParser(BaseParser):
    """Gives a plain map of texts and files. Refuses a part that stands twice and text that is not UTF-8."""

    media_type = FORM

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        # Whatever charset the request names: a form of ours is UTF-8.
        context = {**(parser_context or {}), "encoding": "utf-8"}
        try:
            form = MultiPartParser().parse(stream, media_type, context)
        except RequestDataTooBig:
            raise
        except (ParseError, SuspiciousOperation):
            raise PlatformError(MALFORMED_REQUEST, "The form cannot be read.") from None
        parts: dict[str, Any] = {}
        for name, values in [*form.data.lists(), *form.files.lists()]:
            if len(values) != 1 or name in parts:
                raise PlatformError(MALFORMED_REQUEST, "A part stands twice in the form.")
            parts[name] = values[0]
            if any(isinstance(text, str) and _REPLACEMENT in text for text in (name, values[0])):
                raise PlatformError(MALFORMED_REQUEST, "The form is not UTF-8.")
        return parts


class Upload(serializers.Field[bytes, Any, None, Any]):
    """A file of a form, as its bytes. Its name and the type that it claims say nothing and are dropped."""

    default_error_messages = {"invalid": "This must be a file, sent as a part of a form."}

    def to_internal_value(self, data: Any) -> bytes:
        if not isinstance(data, UploadedFile):
            self.fail("invalid")
        content: bytes = data.read()
        return content
