"""The same token, the same session record, the same schema, the same bytes; and nothing else."""

import json
from datetime import datetime
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse

from accounts.access_tokens import verify_access_token
from accounts.profiles import SYSTEM_PROFILES
from accounts.services.session_records import identity_of
from platform_site.binding import bind

_SQL = """
    SELECT uuid, id, email, first_name, last_name, role, profile_id, status, email_verified_at,
           avatar_url, timezone, locale, last_sign_in_at, created_at
    FROM accounts_user WHERE id = %s AND status <> 'erased'
"""


def me(request: HttpRequest) -> HttpResponse:
    identity = identity_of(verify_access_token(request.headers["Authorization"].removeprefix("Bearer ")))
    with bind(identity.tenant), connection.cursor() as cursor:
        cursor.execute(_SQL, [identity.user_id])
        row = cursor.fetchone()
    body = json.dumps({"success": True, "data": _data(row)}, ensure_ascii=False, separators=(",", ":"))
    return HttpResponse(body.encode(), content_type="application/json")


def _data(row: Any) -> dict[str, Any]:
    uuid, id, email, first, last, role, profile, status, verified, avatar, zone, locale, last_sign_in, created = row
    return {
        "id": str(uuid),
        "userId": id,
        "email": email,
        "firstName": first,
        "lastName": last,
        "displayName": f"{first} {last}".strip() or email.partition("@")[0],
        "role": role,
        "profile": {"id": profile, "name": SYSTEM_PROFILES[profile].name},
        "status": status,
        "emailVerified": verified is not None,
        "avatarUrl": avatar or None,
        "timezone": zone or None,
        "locale": locale or None,
        "lastSignInAt": _time(last_sign_in),
        "createdAt": _time(created),
        # With this token it is always the person.
        "impersonatedBy": None,
    }


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None
