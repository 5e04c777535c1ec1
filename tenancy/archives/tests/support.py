"""What tests of archives share: a lively tenant, and what it looks like from the inside."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from django.db import connection

from tenancy.archives.reading import sequences_of, sum_of, tables_of
from tenancy.models import Tenant
from tests.support import Api, data

Manage = Callable[..., "subprocess.CompletedProcess[str]"]


def live_a_little(admin: Api, member: Api) -> str:
    """Chat with something unread, records of the registry with a merge, events, settings. Gives the channel's id."""
    group = {"name": "Restore", "memberIds": [member.user.id]}
    channel = str(data(admin.post("/chat/channels/group", group), 201)["id"])
    for number in range(5):
        data(admin.post(f"/chat/channels/{channel}/messages", {"content": f"line {number} \\. of\ttext"}), 201)
    data(member.post(f"/chat/channels/{channel}/messages", {"content": "mine"}), 201)
    for number in range(2):
        data(admin.post(f"/chat/channels/{channel}/messages", {"content": f"unread {number}"}), 201)
    ids = [register(admin, f"Jane Doe {number}", f"lead-{number}") for number in range(3)]
    data(admin.post("/entity-registry/merge", {"winnerId": ids[0], "loserId": ids[1]}))
    data(admin.call("PUT", "/action-items/sales/lead-1", {"assignee": member.user.id, "title": "Call back"}), 201)
    return channel


def register(admin: Api, name: str, record: str, email: str = "") -> str:
    body = {"name": name, "app": "sales", "entityType": "lead", "entityId": record}
    return str(
        data(admin.post("/entity-registry/register", body | ({"email": email} if email else {})), 201)["canonicalId"]
    )


def sums(schema_name: str, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Every table's rows and every sequence, as one value to compare."""
    found: dict[str, Any] = {
        table.name: (sum_of(schema_name, table.name).rows, digest(schema_name, table.name, table.key))
        for table in tables_of(schema_name)
        if table.name not in without
    }
    return found | sequences_of(schema_name)


def digest(schema_name: str, table: str, key: tuple[str, ...]) -> str:
    """SHA-256 over all rows in the order of the primary key."""
    order = ", ".join(f'"{name}"' for name in key)
    found = hashlib.sha256()
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT r::text FROM "{schema_name}"."{table}" r ORDER BY {order}')
        for (row,) in cursor.fetchall():
            found.update(row.encode() + b"\n")
    return found.hexdigest()


def drop(tenant: Tenant) -> None:
    """As if it had never been: schema, rows of public."""
    from accounts.directory.models import DirectoryEntry
    from platform_site.outbox.models import OutboxRow

    with connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA "{tenant.schema_name}" CASCADE')
    OutboxRow.objects.filter(tenant_id=tenant.id).delete()
    DirectoryEntry.objects.filter(tenant_id=tenant.id).delete()
    Tenant.objects.filter(pk=tenant.id).delete()


def said(done: "subprocess.CompletedProcess[str]", code: int = 0) -> dict[str, Any]:
    """What a command printed as JSON; its code must be this one."""
    assert done.returncode == code, done.stderr + done.stdout
    answer: dict[str, Any] = json.loads(done.stdout) if code == 0 else {"error": done.stderr.strip()}
    return answer


PYTHON = sys.executable
