"""Idempotency-Key: one effect, the same answer."""

from typing import Any

import pytest
from django.db import transaction

from accounts.models import User
from accounts.services.people import user_create
from platform_site.binding import bind
from platform_site.errors import CONFLICT, PlatformError
from platform_site.idempotency.models import IdempotencyRecord
from platform_site.idempotency.store import Answer, run_once
from tenancy.models import Tenant
from tests.support import Api, at_once

REGISTER = {
    "companyName": "Initech",
    "slug": "initech",
    "adminEmail": "bill@initech.test",
    "adminPassword": "secure-password",
}


def create(key: str, email: str, body: bytes = b"{}") -> Answer:
    def work() -> Answer:
        return Answer(201, {"userId": user_create(email=email).id})

    return run_once(IdempotencyRecord, scope="alice\x1fPOST\x1f/users", key=key, body=body, work=work)


def test_the_second_time_gives_the_stored_answer(in_tenant: Tenant) -> None:
    first, second = create("k1", "a@acme.test"), create("k1", "a@acme.test")
    assert (first.replayed, second.replayed) == (False, True)
    assert (second.status, second.data) == (first.status, first.data)
    assert User.objects.filter(email_key="a@acme.test").count() == 1


def test_another_body_under_the_same_key_is_refused(in_tenant: Tenant) -> None:
    create("k1", "a@acme.test", b"{}")
    with pytest.raises(PlatformError) as refused:
        create("k1", "b@acme.test", b"{1}")
    assert refused.value.code.key == "idempotency_key_reused"


def test_a_failure_leaves_the_key_free(in_tenant: Tenant) -> None:
    def failing() -> Answer:
        user_create(email="a@acme.test")
        raise PlatformError(CONFLICT)

    with pytest.raises(PlatformError):
        run_once(IdempotencyRecord, scope="alice\x1fPOST\x1f/users", key="k1", body=b"{}", work=failing)
    assert create("k1", "a@acme.test").replayed is False


def test_the_stored_answer_cannot_be_read_from_the_table(in_tenant: Tenant) -> None:
    create("k1", "a@acme.test")
    assert b"userId" not in bytes(IdempotencyRecord.objects.get().answer)


@pytest.mark.commits
def test_fifty_at_once_have_one_effect_and_one_answer(tenant: Tenant) -> None:
    def work(_: int) -> Any:
        with bind(tenant.ref), transaction.atomic():
            return create("k1", "crowd@acme.test").data

    done = at_once(50, work)
    assert done.most_at_once > 5
    assert len({str(result) for result in done.results}) == 1
    with bind(tenant.ref):
        assert User.objects.filter(email_key="crowd@acme.test").count() == 1


class TestRegistration:
    def test_a_repeated_sign_up_gives_the_same_tokens(self, api: Api) -> None:
        first = api.post("/tenants/register", REGISTER, idempotency_key="sign-up-1")
        again = api.post("/tenants/register", REGISTER, idempotency_key="sign-up-1")
        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json() == again.json()
        assert again["Idempotency-Replayed"] == "true"
        assert Tenant.objects.filter(slug="initech").count() == 1

    def test_another_body_is_refused(self, api: Api) -> None:
        api.post("/tenants/register", REGISTER, idempotency_key="sign-up-1")
        other = api.post("/tenants/register", {**REGISTER, "slug": "initrode"}, idempotency_key="sign-up-1")
        assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")

    @pytest.mark.parametrize("key", ["", "k" * 256])
    def test_a_key_that_cannot_be_one(self, api: Api, key: str) -> None:
        assert api.post("/tenants/register", REGISTER, idempotency_key=key).status_code == 400
