"""``/audit``: who did what, newest first. It is only ever read."""

from typing import ClassVar

from rest_framework.request import Request

from accounts.api.audit.filters import PARAMETERS, audit_filter
from accounts.api.audit.serializers import AuditEntryOutput, present_entries
from accounts.audit import audit_entries, audit_items
from accounts.catalog import AUDIT_VIEW
from platform_site.api.docs import operation, query
from platform_site.api.pagination import CURSOR_PARAMETERS, CursorQuery, paginate_by_cursor
from platform_site.api.permissions import Needs
from platform_site.api.renderers import Listed
from platform_site.api.views import ApiView
from platform_site.errors import INVALID_CURSOR

MOMENT = {"type": "string", "format": "date-time"}
PERSON = {"type": "string", "pattern": "^([1-9][0-9]{0,8}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$"}
EXAMPLE = {
    "id": "0197d9c4-2a5b-7c31-9f7e-1b2a3c4d5e6f",
    "at": "2025-01-31T12:00:00.000Z",
    "key": "tenancy.org_setting_changed",
    "meaning": "A setting of the organisation was changed",
    "actor": {
        "id": "0197d9c4-2a5b-7c31-9f7e-1b2a3c4d5e70",
        "userId": 1,
        "displayName": "John Doe",
        "kind": "person",
    },
    "impersonator": None,
    "origin": "203.0.113.7",
    "requestId": "0b7f2c9d5a614a1f8d2e3c4b5a697887",
    "subject": {"type": "org_setting", "id": "company.date_format", "label": "Date format"},
    "before": "yyyy-MM-dd",
    "after": "dd.MM.yyyy",
    "data": {"key": "company.date_format"},
}


class AuditView(ApiView):
    access = Needs(AUDIT_VIEW)
    parameters: ClassVar = {"GET": (*PARAMETERS, *CURSOR_PARAMETERS)}

    @operation(
        id="audit",
        summary="What happened in the workspace, newest first",
        description="Kept for as long as the setting `retention.audit_days` says. Secrets are masked."
        " An actor is null when nobody was signed in.",
        output=AuditEntryOutput,
        listed="cursor",
        example=EXAMPLE,
        parameters=[
            query("key", description="A key, or the beginning of keys up to a dot.", example="accounts."),
            query("actor", PERSON, "Who did it: userId, id, or the id of an API key."),
            query("subjectType", {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$"}, "Together with subjectId."),
            query("subjectId", {"type": "string", "pattern": "^[!-~]{1,64}$"}, "For a user, userId or id."),
            query("from", MOMENT, "From then on."),
            query("to", MOMENT, "Before then."),
        ],
        errors=[INVALID_CURSOR],
    )
    def get(self, request: Request) -> Listed:
        entries, meta = paginate_by_cursor(
            audit_entries(audit_filter(request)), CursorQuery.from_request(request, "audit"), ["-id"]
        )
        return Listed(present_entries(audit_items(entries)), meta)
