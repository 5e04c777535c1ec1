"""What tests about people, profiles and keys share: somebody of a role, a key, and what was refused or written down."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Session, User
from accounts.roles import Role
from accounts.services.passwords import password_hash
from accounts.services.people import user_create
from platform_site.api.identity import Identity
from platform_site.binding import bind
from platform_site.journal.models import JournalEntry
from platform_site.permissions import permissions
from tenancy.models import Tenant
from tests.support import PASSWORD, Api, signed_in


def somebody(tenant: Tenant, name: str, role: Role, *, profile_id: int | None = None) -> Api:
    """A client of somebody new, with the address name@slug.test and the tests' password."""
    email = f"{name}@{tenant.slug}.test"
    with bind(tenant.ref), transaction.atomic():
        user_create(
            email=email,
            first_name=name.title(),
            role=role,
            profile_id=profile_id,
            password=password_hash(PASSWORD),
        )
    return signed_in(tenant, email)


def key_of(admin: Api, *keys: str, name: str = "Robot") -> Api:
    """A client with a new API key that holds these permissions."""
    answer = admin.post("/api-keys", {"name": name, "permissions": [permissions.get(key).number for key in keys]})
    assert answer.status_code == 201, answer.content
    client = Api(token=answer.json()["data"]["key"])
    client.tenant = admin.tenant
    return client


def refusal(response: Any) -> tuple[int, str]:
    """Status and code."""
    return response.status_code, response.json()["error"]["code"]


def complaints(response: Any) -> list[tuple[str, str]]:
    """(field, code) of each detail."""
    return [(detail["field"], detail["code"]) for detail in response.json()["error"]["details"]]


def journal(tenant: Tenant, key: str) -> list[JournalEntry]:
    """Entries of this key, oldest first."""
    with bind(tenant.ref):
        return list(JournalEntry.objects.filter(key=key).order_by("id"))


def user_again(client: Api) -> User:
    with bind(client.tenant.ref):
        return User.objects.get(pk=client.user.id)


def identity(client: Api, held: Sequence[str] = ()) -> Identity:
    """What a request of this client would be known by; with all permissions unless others are named."""
    with bind(client.tenant.ref):
        session = Session.objects.filter(user_id=client.user.id).latest("created_at")
    return Identity(
        tenant=client.tenant.ref,
        session_id=session.id,
        user_id=client.user.id,
        user_uuid=client.user.uuid,
        role=client.user.role,
        profile_id=client.user.profile_id,
        permissions=frozenset(held or [one.key for one in permissions]),
        email_verified=True,
    )


def queries_of(client: Api, path: str) -> int:
    """How many queries a GET costs that is not its session's first, without the look at the epoch once a second."""
    client.get(path)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(path).status_code == 200
    apart = ("SET search_path", "SELECT coalesce(max(epoch)")
    return len([query for query in queries if not query["sql"].startswith(apart)])
