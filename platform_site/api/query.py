"""Single query parameters, read strictly."""

from rest_framework.request import Request

from platform_site.errors import VALIDATION_FAILED, FieldError, PlatformError


def query_flag(request: Request, name: str) -> bool:
    """``?name=true``; absent is false. Anything but true and false raises ``validation_failed``."""
    value = request.query_params.get(name)
    if value is None:
        return False
    if value not in {"true", "false"}:
        raise PlatformError(VALIDATION_FAILED, details=[FieldError(name, "invalid", "Use true or false.")])
    return value == "true"
