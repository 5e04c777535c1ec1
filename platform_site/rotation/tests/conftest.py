"""A tenant that has something sealed in every column, and keys to replace."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
import pytest

from accounts.models import SecondFactor, User
from accounts.services.second_factor import secret_of
from accounts.services.second_factor_setup import second_factor_begin
from notifications.email_settings.smtp_server import server_of, server_row, server_set
from platform_site.binding import bind
from platform_site.keys import unseal
from platform_site.outbox.models import OutboxRow
from platform_site.outbox.registry import request_kinds
from platform_site.outbox.services import enqueue_request, place
from tenancy.models import Tenant
from tenancy.org_settings.registry import OrgSettingDefinition, org_settings
from tenancy.org_settings.selectors import setting_value
from tests.support import Api, data

NEXT = ("next", "n" * 43)
ASKED = {"email": "who@acme.test"}
HIDDEN = "a provider's credential"
SIGN_UP = {
    "companyName": "Initech",
    "slug": "initech",
    "adminEmail": "bill@initech.test",
    "adminPassword": "a paper with a cover",
}
INVITED = {"email": "ed@acme.test", "firstName": "Ed", "role": "user"}
SERVER = {
    "host": "mail.acme.com",
    "port": 587,
    "username": "acme",
    "password": "secret words",
    "security": "starttls",
    "from_email": "hello@acme.com",
}


@dataclass
class Filled:
    """What was stored, and whether it can all still be read."""

    tenant: Tenant
    alice: Api
    definition: OrgSettingDefinition
    second_factor: str
    invited: Any
    signed_up: Any

    def is_readable(self) -> bool:
        with bind(self.tenant.ref):
            row = server_row()
            assert row is not None
            assert server_of(row).password == "secret words"
            assert setting_value(self.definition) == HIDDEN
            assert secret_of(SecondFactor.objects.get()) == self.second_factor
        request = OutboxRow.objects.get(tenant_id=None)
        assert orjson.loads(unseal(bytes(request.payload or b""), place(request.id))) == ASKED
        again = self.alice.post("/users", INVITED, idempotency_key="invite")
        assert data(again, 201) == self.invited
        repeated = Api(address=self.alice.address).post("/tenants/register", SIGN_UP, idempotency_key="sign up")
        assert data(repeated, 201) == self.signed_up
        return True


@pytest.fixture
def definition() -> Iterator[OrgSettingDefinition]:
    made = OrgSettingDefinition("test.credential", "A credential", "text", secret=True, default=lambda: None)
    yield org_settings.add(made)
    del org_settings._entries[made.key]


@pytest.fixture
def filled(tenant: Tenant, alice: Api, definition: OrgSettingDefinition, settings: Any) -> Filled:
    settings.RATE_LIMITS_ENABLED = False
    with bind(tenant.ref):
        factor = second_factor_begin(user_id=User.objects.get(email_key="user@acme.test").id).secret
        server_set(SERVER)
    data(alice.call("PUT", f"/org-settings/{definition.key}", {"value": HIDDEN}))
    invited = data(alice.post("/users", INVITED, idempotency_key="invite"), 201)
    signed_up = data(Api(address=alice.address).post("/tenants/register", SIGN_UP, idempotency_key="sign up"), 201)
    enqueue_request(kind=next(iter(request_kinds)).key, payload=ASKED)
    return Filled(tenant, alice, definition, factor, invited, signed_up)
