"""The audit log's query parameters, read strictly."""

import re
from datetime import datetime
from uuid import UUID

from rest_framework.request import Request

from accounts.audit import AuditFilter, audited_keys
from platform_site.api.pagination import single_parameter
from platform_site.errors import VALIDATION_FAILED, FieldError, PlatformError
from platform_site.moments import NaiveMoment, read_moment

PARAMETERS = ("key", "actor", "subjectType", "subjectId", "from", "to")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_TYPE = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)
_ID = re.compile(r"[!-~]{1,64}", re.ASCII)


def audit_filter(request: Request) -> AuditFilter:
    """What the query asks for; raises ``validation_failed``."""
    actor = single_parameter(request, "actor")
    return AuditFilter(
        keys=_keys(single_parameter(request, "key")),
        actor=None if actor is None else _person("actor", actor),
        subject=_subject(single_parameter(request, "subjectType"), single_parameter(request, "subjectId")),
        since=_moment(request, "from"),
        until=_moment(request, "to"),
    )


def _keys(text: str | None) -> list[str]:
    keys = audited_keys(text or "")
    if not keys or text == "":
        raise _refused("key", "invalid_choice", "There is no such key in the audit log.")
    return keys


def _subject(kind: str | None, subject_id: str | None) -> tuple[str, str | int | UUID] | None:
    if kind is None and subject_id is None:
        return None
    if kind is None or subject_id is None:
        missing = "subjectType" if kind is None else "subjectId"
        raise _refused(missing, "required", "subjectType and subjectId go together.")
    if not _TYPE.fullmatch(kind):
        raise _refused("subjectType", "invalid", "This is no type of subject, such as user.")
    if not _ID.fullmatch(subject_id):
        raise _refused("subjectId", "invalid", "This cannot be the id of anything.")
    return kind, _person("subjectId", subject_id) if kind == "user" else subject_id


def _person(name: str, text: str) -> int | UUID:
    if _NUMBER.fullmatch(text):
        return int(text)
    if not _UUID.fullmatch(text):
        raise _refused(name, "invalid", "This must be a person's number or UUID.")
    return UUID(text)


def _moment(request: Request, name: str) -> datetime | None:
    text = single_parameter(request, name)
    try:
        return None if text is None else read_moment(text)
    except ValueError as error:
        code = "naive" if isinstance(error, NaiveMoment) else "invalid"
        raise _refused(name, code, str(error)) from None


def _refused(name: str, code: str, message: str) -> PlatformError:
    return PlatformError(VALIDATION_FAILED, details=[FieldError(name, code, message)])
