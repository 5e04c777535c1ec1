"""When a socket has to go: its session ended, its token ended, its company is suspended."""

import asyncio
import time
from base64 import urlsafe_b64decode
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from accounts.access_tokens import AccessToken
from platform_site.realtime.protocol import GRACE_SECONDS
from tenancy.deletion import deletion_schedule
from tenancy.services import tenant_suspend
from tests.realtime.processes import Process
from tests.realtime.shared import Company, Person
from tests.realtime.sockets import Bare, aside, bare, signed_in_socket
from tests.support import PASSWORD

pytestmark = pytest.mark.timeout(120)


def token_for(person: Person, seconds: float) -> str:
    """A token of this person's session that ends so soon."""
    token = AccessToken()
    token["sub"], token["tid"] = str(person.identity.user_uuid), str(person.tenant.id)
    token["sid"] = str(person.identity.session_id)
    token.set_exp(lifetime=timedelta(seconds=seconds))
    return str(token)


async def ends_within(socket: Bare, seconds: float, began: float) -> int:
    code = await socket.closed()
    assert time.monotonic() - began < seconds
    return code


def test_signing_out_ends_this_session_and_no_other(first: Process, company: Company) -> None:
    alice = company.people[0]
    again = company.sign_in(1)

    async def listen() -> None:
        async with (
            signed_in_socket(first.url, alice.token) as (one, _),
            signed_in_socket(first.url, alice.token) as (same, _),
            signed_in_socket(first.url, again.token) as (other, _),
        ):
            began = time.monotonic()
            assert (await aside(alice.api.post, "/auth/logout")).status_code == 200
            assert await ends_within(one, 1, began) == 4503
            assert await ends_within(same, 1, began) == 4503
            await other.say({"t": "ping", "id": "still here"})
            await other.hear("pong")
            # A token outlives its session; it opens nothing.
            async with bare(first.url) as late:
                await late.say({"t": "auth", "token": alice.token})
                assert await late.closed() == 4503
            began = time.monotonic()
            assert (await aside(again.api.post, "/auth/logout-all")).status_code == 200
            assert await ends_within(other, 1, began) == 4503

    asyncio.run(listen())


def test_a_new_password_ends_the_other_sessions(first: Process, company: Company) -> None:
    alice, elsewhere = company.people[0], company.sign_in(1)
    change = {"currentPassword": PASSWORD, "newPassword": "another horse battery"}

    async def listen() -> None:
        async with (
            signed_in_socket(first.url, alice.token) as (own, _),
            signed_in_socket(first.url, elsewhere.token) as (other, _),
        ):
            began = time.monotonic()
            answer = await aside(alice.api.post, "/auth/password/change", change)
            assert answer.status_code == 200, answer.content
            assert await ends_within(other, 1, began) == 4503
            await own.say({"t": "ping"})
            await own.hear("pong")

    asyncio.run(listen())


def test_whoever_is_deactivated_is_gone(first: Process, company: Company) -> None:
    alice, bob = company.people

    async def listen() -> None:
        async with (
            signed_in_socket(first.url, alice.token) as (stays, _),
            signed_in_socket(first.url, bob.token) as (goes, _),
        ):
            began = time.monotonic()
            answer = await aside(alice.api.call, "DELETE", f"/users/{bob.number}")
            assert answer.status_code == 200, answer.content
            assert await ends_within(goes, 1, began) == 4503
            await stays.say({"t": "ping"})
            await stays.hear("pong")

    asyncio.run(listen())


@pytest.mark.parametrize("close", [tenant_suspend, deletion_schedule])
def test_a_closed_company_is_gone_and_no_other(first: Process, company: Company, close: Any) -> None:
    other = Company(1)

    def suspend() -> None:
        close(tenant_id=company.tenant.id, reason="not paid")

    async def listen() -> None:
        async with (
            signed_in_socket(first.url, company.people[0].token) as (one, _),
            signed_in_socket(first.url, company.people[1].token) as (two, _),
            signed_in_socket(first.url, other.people[0].token) as (stays, _),
        ):
            began = time.monotonic()
            await aside(suspend)
            assert await ends_within(one, 1, began) == 4507
            assert await ends_within(two, 1, began) == 4507
            await stays.say({"t": "ping"})
            await stays.hear("pong")
            async with bare(first.url) as late:
                await late.say({"t": "auth", "token": company.people[0].token})
                assert await late.closed() == 4507

    asyncio.run(listen())


def test_a_token_can_be_renewed_and_by_its_owner_alone(first: Process, company: Company) -> None:
    alice, bob = company.people
    again = company.sign_in(1)

    async def listen() -> None:
        async with (
            signed_in_socket(first.url, token_for(alice, 20)) as (socket, ready),
            signed_in_socket(first.url, token_for(alice, 20)) as (taken, _),
        ):
            warned = await socket.hear("auth.expiring")
            assert 0 < warned["in"] <= 20
            assert ready["exp"] - time.time() <= 20
            await socket.say({"t": "auth", "id": 1, "token": alice.token})
            answer = await socket.hear("ok")
            assert answer["id"] == 1
            assert answer["d"]["exp"] - time.time() > 60
            # The same person by another session is the same person.
            await socket.say({"t": "auth", "token": again.token})
            await socket.hear("ok")
            # A tick has gone by, and it does not warn of the token that was.
            await asyncio.sleep(1.2)
            await socket.say({"t": "ping"})
            await socket.hear("pong")
            assert [frame["t"] for frame in socket.frames].count("auth.expiring") == 1
            await taken.say({"t": "auth", "token": bob.token})
            assert await taken.closed() == 4403

    asyncio.run(listen())


def test_a_token_that_ended_long_ago_opens_nothing(first: Process, company: Company) -> None:
    async def listen() -> None:
        async with bare(first.url) as socket:
            await socket.say({"t": "auth", "token": token_for(company.people[0], -30)})
            assert await socket.closed() == 4401

    asyncio.run(listen())


@pytest.mark.soak
def test_a_token_that_is_not_renewed_ends_its_socket(first: Process, company: Company) -> None:
    """In small this is ``test_ticking.py``, without a wait."""

    async def listen() -> None:
        async with bare(first.url) as socket:
            token = token_for(company.people[0], 2)
            await socket.say({"t": "auth", "token": token})
            async with asyncio.timeout(GRACE_SECONDS + 10):
                await socket.connection.wait_closed()
            assert socket.connection.close_code == 4401
            # Its end is a whole second, which may come sooner than two seconds after it was made.
            ends_at = msgspec.json.decode(urlsafe_b64decode(token.split(".")[1] + "=="))["exp"]
            assert time.time() >= ends_at + GRACE_SECONDS

    asyncio.run(listen())
