"""What generated requests need to be there, made by the product's own services in schemathesis's process.

Its database and its keys are the running platform's; ``judge`` hands both
over in the environment.
"""

import json
import os
import time
from base64 import b64encode
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from uuid import UUID, uuid4

import httpx
from django.db import transaction

from accounts.models import ApiKey, LinkToken, Session, User
from accounts.roles import Role
from accounts.services.links import link_create, link_token
from accounts.services.mfa_tokens import mfa_token
from accounts.services.passwords import password_hash
from accounts.services.people import user_create
from accounts.services.second_factor_setup import second_factor_begin
from accounts.tests.impersonating import code_for, staff_member
from accounts.tests.second_factors import App, enrolled
from notifications.mailing.tokens import Purpose, make_mail_token
from notifications.models import Notification, Suppression
from platform_site.binding import bind
from tenancy.models import Tenant
from tenancy.registration import tenant_register
from tests.support import PASSWORD, Api, signed_in

__all__ = ["administrator", "begun", "enrolled", "link", "person"]

# A tenant takes 50 profiles and 50 API keys; after so many uses comes the next one.
USES: Final = 40
PROVIDER_PASSWORD: Final = f"Basic {b64encode(os.environ['ANYMAIL_WEBHOOK_SECRET'].encode()).decode()}"
_company: dict[str, Any] = {"uses": USES}


def unique(word: str) -> str:
    """A word that no other case of any run has."""
    return f"{word}-{uuid4().hex[:20]}"


def company() -> Tenant:
    """A tenant with room for one more of everything."""
    if _company["uses"] == USES:
        slug = unique("c")
        made = tenant_register(company_name=slug, slug=slug, admin_email=f"admin@{slug}.test", admin_password=PASSWORD)
        _company.update(uses=0, tenant=Tenant.objects.get(id=made.tenant.id), password=password_hash(PASSWORD))
    _company["uses"] += 1
    tenant: Tenant = _company["tenant"]
    return tenant


def person(tenant: Tenant, *, role: Role = Role.USER, status: User.Status = User.Status.ACTIVE) -> User:
    """Somebody new, with the password of all tests unless it is not set yet."""
    password = "" if status == User.Status.PENDING else _company["password"]
    with bind(tenant.ref), transaction.atomic():
        return user_create(email=f"{unique('p')}@contract.test", role=role, status=status, password=password)


def administrator() -> Api:
    """Somebody new with every right, signed in a moment ago."""
    return administrator_of(company())


def anybody() -> Api:
    """An administrator of a tenant with room for one more of everything: for what changes nothing about the person."""
    tenant = company()
    if _company.get("anybody") is None or _company["anybody"].tenant != tenant:
        _company["anybody"] = administrator_of(tenant)
    somebody: Api = _company["anybody"]
    return somebody


def administrator_of(tenant: Tenant) -> Api:
    return signed_in(tenant, person(tenant, role=Role.TENANT_ADMIN).email_key)


def session_of(somebody: Api) -> str:
    """Another session of the same person."""
    signed_in(somebody.tenant, somebody.user.email_key)
    with bind(somebody.tenant.ref):
        return str(Session.objects.filter(user=somebody.user).latest("id").id)


def link(kind: LinkToken.Kind, *, status: User.Status = User.Status.ACTIVE) -> str:
    """The token of a mailed link for somebody new."""
    tenant = company()
    user = person(tenant, status=status)
    with bind(tenant.ref), transaction.atomic():
        return str(link_token(link_create(user=user, kind=kind)))


def begun(tenant: Tenant, user: User) -> App:
    """An app with the secret of a second factor that is not confirmed yet."""
    with bind(tenant.ref):
        return App(second_factor_begin(user_id=user.id).secret)


def second_step(somebody: Api, purpose: Any) -> str:
    """What this person holds after the right password, when a second factor is asked for."""
    with bind(somebody.tenant.ref), transaction.atomic():
        return mfa_token(user=User.objects.get(pk=somebody.user.pk), purpose=purpose)


def impersonation_code() -> str:
    """A code with which support signs in as somebody; of a staff member of its own, who may ask for a few only."""
    return code_for(administrator(), staff_member(unique("staff")))


def profile(somebody: Api, *, active: bool = True) -> int:
    """The number of a profile that nobody has."""
    made = somebody.post("/profiles", {"name": unique("p"), "permissions": [1]})
    assert made.status_code == 201, made.content
    number = int(made.json()["data"]["id"])
    if not active:
        assert somebody.call("DELETE", f"/profiles/{number}").status_code == 200
    return number


def api_key(somebody: Api) -> UUID:
    with bind(somebody.tenant.ref):
        row = ApiKey.objects.create(
            name="x", permissions=[1], created_by=somebody.user, secret_hash=b"", key_id="none", hint="abcde"
        )
    return UUID(str(row.id))


def told(somebody: Api) -> UUID:
    """A notification of this person's."""
    with bind(somebody.tenant.ref):
        row = Notification.objects.create(user=somebody.user, event_key="sales.lead_assigned", title="New lead")
    return UUID(str(row.id))


def unsubscribe(somebody: Api) -> str:
    """The token of a link in a mail to this person."""
    with bind(somebody.tenant.ref):
        return make_mail_token(Purpose.UNSUBSCRIBE, somebody.user.uuid, "sales.lead_assigned:")


def reference(somebody: Api) -> str:
    """What a provider gives back with a report about a mail in this person's company."""
    with bind(somebody.tenant.ref):
        return make_mail_token(Purpose.REPORT, uuid4(), "d")


def suppression(somebody: Api) -> UUID:
    """An address that gets no mail from this person's company."""
    with bind(somebody.tenant.ref):
        row = Suppression.objects.create(
            address_hash=uuid4().bytes, email="gone@acme.test", scope=Suppression.Scope.ALL, reason="manual"
        )
    return UUID(str(row.id))


def group(somebody: Api) -> tuple[UUID, User]:
    """A group of this person and somebody new."""
    other = person(somebody.tenant)
    made = somebody.post("/chat/channels/group", {"name": "Project Alpha", "memberIds": [other.id]})
    assert made.status_code == 201, made.content
    return UUID(made.json()["data"]["id"]), other


def message(somebody: Api) -> tuple[UUID, UUID]:
    """A channel of this person's, and what the person said in it."""
    channel_id, _ = group(somebody)
    made = somebody.post(f"/chat/channels/{channel_id}/messages", {"content": "Hello team!"})
    assert made.status_code == 201, made.content
    return channel_id, UUID(made.json()["data"]["id"])


@dataclass(frozen=True)
class Records:
    """Two records of the registry, the first of which has a link and one that was merged into it."""

    entity: str
    other: str
    link: str
    merge: str
    in_app: dict[str, str]


def record(somebody: Api) -> dict[str, Any]:
    """A record that nothing else is known about, as it was registered."""
    body = {"name": "Jane Doe", "app": "sales", "entityType": "lead", "entityId": unique("lead")}
    made = somebody.post("/entity-registry/register", body)
    assert made.status_code == 201, made.content
    return dict(made.json()["data"])


@cache
def standing() -> tuple[Api, Records]:
    """Records that cases only read, or write events about, and an administrator there."""
    somebody = customer("standing")
    return somebody, records(somebody)


def records(somebody: Api) -> Records:
    made = [record(somebody) for _ in range(3)]
    one, other, lost = (registered["canonicalId"] for registered in made)
    merged = somebody.post("/entity-registry/merge", {"winnerId": one, "loserId": lost}).json()["data"]
    shown = somebody.get(f"/entity-registry/{one}").json()["data"]["links"][0]
    in_app = {name: shown[name] for name in ("app", "entityType", "entityId")}
    return Records(one, other, made[0]["linkId"], merged["mergeId"], in_app)


def set_up(somebody: Api) -> None:
    """Let all that is required be done in this person's company."""
    for task in somebody.get("/setup-hub").json()["data"]["tasks"]:
        if task["required"]:
            body = {"status": "completed", "force": True}
            assert somebody.call("PATCH", f"/setup-hub/tasks/{task['code']}", body).status_code == 200


def item(somebody: Api) -> dict[str, Any]:
    """Something that this person has to do."""
    body = {"assignee": somebody.user.id, "title": "Call Jane Doe back"}
    made = somebody.call("PUT", f"/action-items/sales/{unique('lead')}", body)
    assert made.status_code == 201, made.content
    return dict(made.json()["data"])


@cache
def customer(which: str) -> Api:
    """An administrator of a company of its own, the same for the same word."""
    slug = unique(which)
    made = tenant_register(company_name=slug, slug=slug, admin_email=f"admin@{slug}.test", admin_password=PASSWORD)
    return signed_in(Tenant.objects.get(id=made.tenant.id), f"admin@{slug}.test")


def subscriber() -> Api:
    """An administrator of a company whose subscription is paid for; again, if a case before ended it."""
    somebody = customer("subscriber")
    if somebody.get("/billing/status").json()["data"]["stripeStatus"] in ("active", "trialing"):
        return somebody
    started = somebody.post("/billing/checkout", {"planId": "pro", "interval": "monthly", "quantity": 3})
    assert started.status_code == 200, started.content
    paid = httpx.post(
        f"{os.environ['STRIPE_API_BASE']}/_local/pay",
        json={"session": started.json()["data"]["sessionId"]},
        headers={"Authorization": f"Bearer {os.environ['STRIPE_SECRET_KEY']}"},
    )
    assert paid.status_code == 200, paid.content
    assert somebody.post("/billing/sync").status_code == 200
    return somebody


def stripe_event() -> tuple[dict[str, Any], str]:
    """An event of Stripe's, and its signature over the bytes that the run sends."""
    import stripe

    event = {
        "id": unique("evt"),
        "object": "event",
        "type": "invoice.paid",
        "created": int(time.time()),
        "livemode": False,
        "data": {"object": {"id": unique("in"), "object": "invoice", "customer": unique("cus")}},
    }
    body = json.dumps(event)
    secret = os.environ["STRIPE_WEBHOOK_SECRETS"]
    return event, stripe.WebhookSignature.generate_signature_header(body, secret, int(time.time()))
