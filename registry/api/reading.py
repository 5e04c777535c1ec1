"""Query parameters of the registry, read strictly."""

from uuid import UUID

from rest_framework.request import Request

from events.sent import ID_IN_APP, NAME
from platform_site.api.pagination import single_parameter
from platform_site.errors import NOT_FOUND, VALIDATION_FAILED, FieldError, PlatformError
from platform_site.moments import NaiveMoment, read_moment
from registry.selectors.records import SORTS, EntityFilter
from registry.services.records import AppRecord

STATUSES = ("active", "merged", "all")


def name_parameter(request: Request, name: str) -> str | None:
    """The name of an app or class."""
    value = single_parameter(request, name)
    if value is not None and not NAME.fullmatch(value):
        raise refused(name, "invalid", "This is no name of an app or class.")
    return value


def choice_parameter(request: Request, name: str, choices: tuple[str, ...], default: str) -> str:
    value = single_parameter(request, name)
    if value is None:
        return default
    if value not in choices:
        raise refused(name, "invalid_choice", f"Use one of {', '.join(choices)}.")
    return value


def flag_parameter(request: Request, name: str) -> bool | None:
    """True, false, or None when the question is left open."""
    value = single_parameter(request, name)
    if value is None:
        return None
    if value not in ("true", "false"):
        raise refused(name, "invalid", "Use true or false.")
    return value == "true"


def text_parameter(request: Request, name: str, *, longest: int) -> str:
    """A text that has to be there."""
    text = (single_parameter(request, name) or "").strip()
    if not text:
        raise refused(name, "required", "This parameter is needed.")
    if len(text) > longest:
        raise refused(name, "max_length", f"Give at most {longest} characters.")
    if "\x00" in text:
        raise refused(name, "control", "Control characters are not allowed.")
    return text


def entity_filter(request: Request) -> EntityFilter:
    status = choice_parameter(request, "status", STATUSES, "active")
    since = single_parameter(request, "updatedSince")
    try:
        moment = read_moment(since) if since is not None else None
    except ValueError as error:
        code = "naive" if isinstance(error, NaiveMoment) else "invalid"
        raise refused("updatedSince", code, str(error)) from None
    return EntityFilter(
        status=status,  # type: ignore[arg-type]
        entity_class=name_parameter(request, "class"),
        app=name_parameter(request, "app"),
        orphaned=flag_parameter(request, "orphaned"),
        updated_since=moment,
    )


def sort_parameter(request: Request) -> str:
    return choice_parameter(request, "sort", tuple(SORTS), "-createdAt")


def record_of_path(app: str, entity_type: str, entity_id: str) -> AppRecord:
    """What stands in a path; nothing can be there under a name that nothing can have."""
    if not (NAME.fullmatch(app) and NAME.fullmatch(entity_type) and ID_IN_APP.fullmatch(entity_id)):
        raise PlatformError(NOT_FOUND)
    return AppRecord(app, entity_type, entity_id)


def refused(name: str, code: str, message: str) -> PlatformError:
    return PlatformError(VALIDATION_FAILED, details=[FieldError(name, code, message)])


def location(canonical_id: UUID) -> str:
    return f"/api/v1/entity-registry/{canonical_id}"
