"""Support on the socket, signed in as somebody: it looks, is not taken for the person, and goes when it has to."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.access_tokens import verify_access_token
from accounts.catalog import IMPERSONATION, MESSAGE_ACCESS_UNTIL
from accounts.models import Session
from accounts.services.session_records import identity_of
from accounts.services.ws_tickets import ws_ticket_issue
from accounts.staff.services import session_close
from accounts.tests.impersonating import code_for, exchanged, staff_member
from platform_site.binding import bind
from platform_site.realtime.arrivals import AWAY_SECONDS
from platform_site.realtime.presence import online
from tests.realtime.processes import Process
from tests.realtime.shared import Company, Person
from tests.realtime.sockets import Bare, aside, bare, signed_in_socket
from tests.realtime.test_failures import withheld
from tests.support import Api, data

pytestmark = pytest.mark.timeout(120)


def support_as(person: Person) -> Api:
    support = Api(token=exchanged(code_for(person.api))["accessToken"])
    support.tenant, support.user = person.api.tenant, person.api.user
    return support


def open_messages(alice: Person, hours: float | None) -> None:
    until = None if hours is None else (timezone.now() + timedelta(hours=hours)).isoformat()
    data(alice.api.call("PUT", f"/org-settings/{MESSAGE_ACCESS_UNTIL.key}", {"value": until}))


async def fence(socket: Bare) -> None:
    await socket.say({"t": "ping", "id": "fence"})
    await socket.hear("pong", lambda frame: frame.get("id") == "fence")


@pytest.mark.parametrize("ending", ["staff session", "staff account", "setting", "signing out"])
def test_it_closes_within_a_second_of_the_end(first: Process, company: Company, ending: str) -> None:
    alice, bob = company.people
    support = support_as(bob)
    nora = staff_member()

    def leave() -> None:
        nora.is_active = False
        nora.save()

    end: Any = {
        "staff session": lambda: session_close(staff=nora, tenant_id=company.tenant.id),
        "staff account": leave,
        "setting": lambda: data(alice.api.call("PUT", f"/org-settings/{IMPERSONATION.key}", {"value": False})),
        "signing out": lambda: support.post("/auth/logout"),
    }[ending]

    async def listen() -> None:
        async with (
            signed_in_socket(first.url, support.token) as (theirs, _),
            signed_in_socket(first.url, bob.token) as (own, _),
        ):
            began = time.monotonic()
            await aside(end)
            assert await theirs.closed() == 4503
            assert time.monotonic() - began < 1
            await fence(own)
            async with bare(first.url) as late:
                await late.say({"t": "auth", "token": support.token})
                assert await late.closed() == 4503

    try:
        asyncio.run(listen())
    finally:
        nora.is_active = True
        nora.save()


def test_a_ticket_is_good_for_no_longer_than_the_session(first: Process, company: Company) -> None:
    support = support_as(company.people[1])
    identity = identity_of(verify_access_token(support.token))
    assert identity.expires_at is not None
    until = identity.expires_at.timestamp()
    with bind(company.tenant.ref):
        Session.objects.filter(id=identity.session_id).update(absolute_expires_at=timezone.now() + timedelta(minutes=2))
    ticket = ws_ticket_issue(actor=identity)

    async def listen() -> None:
        async with bare(first.url) as one:
            await one.say({"t": "auth", "ticket": ticket})
            assert (await one.hear("ready"))["exp"] <= time.time() + 120 < until

    asyncio.run(listen())


def test_support_does_not_make_the_person_be_there(first: Process, company: Company) -> None:
    alice, bob = company.people
    support = support_as(bob)

    async def listen() -> None:
        async with signed_in_socket(first.url, alice.token) as (sees, _):
            await sees.say({"t": "presence", "id": "w", "userIds": [bob.number]})
            await sees.hear("ok", lambda frame: frame.get("id") == "w")
            async with signed_in_socket(first.url, support.token):
                await asyncio.sleep(0.5)
                assert await aside(online, company.tenant.id, [bob.number]) == set()
                async with signed_in_socket(first.url, bob.token):
                    await sees.hear("presence", lambda frame: frame["online"])
                # Bob went, although support is still connected as him.
                await asyncio.sleep(AWAY_SECONDS + 0.5)
                await sees.hear("presence", lambda frame: not frame["online"])
                assert await aside(online, company.tenant.id, [bob.number]) == set()
            await fence(sees)
            assert [frame["online"] for frame in sees.frames if frame["t"] == "presence"] == [True, False]

    asyncio.run(listen())


def test_messages_are_heard_while_the_workspace_lets_support(first: Process, company: Company) -> None:
    alice, bob = company.people
    channel = company.group()
    support = support_as(bob)

    async def listen() -> None:
        async with (
            signed_in_socket(first.url, support.token, since={channel: [0, 0]}) as (theirs, _),
            signed_in_socket(first.url, bob.token) as (own, _),
        ):
            await aside(alice.say, channel, "between us")
            await own.hear("message.created")
            await fence(theirs)
            assert "between us" not in str(theirs.frames)
            # Another word of the tenant's: the socket comes back, and is looked at anew.
            await aside(open_messages, alice, 1)
            assert await theirs.closed() == 4010
        async with signed_in_socket(first.url, support.token, since={channel: [0, 0]}) as (theirs, _):
            assert (await theirs.hear("message.created"))["d"]["content"] == "between us"
            await aside(alice.say, channel, "and this")
            assert (await theirs.hear("message.created"))["d"]["content"] == "and this"
            await aside(open_messages, alice, None)
            assert await theirs.closed() == 4010
        async with signed_in_socket(first.url, support.token, since={channel: [0, 0]}) as (theirs, _):
            await fence(theirs)
            assert "between us" not in str(theirs.frames)

    asyncio.run(listen())


def test_what_was_lost_and_found_is_heard_no_more_than_what_was_not(first: Process, company: Company) -> None:
    alice, bob = company.people
    channel = company.group()
    support = support_as(bob)

    async def listen() -> None:
        async with (
            signed_in_socket(first.url, support.token) as (theirs, _),
            signed_in_socket(first.url, bob.token) as (own, _),
        ):
            with withheld():
                await aside(alice.say, channel, "between us")
            await own.hear("message.created")
            await fence(theirs)
            assert "between us" not in str(theirs.frames)

    asyncio.run(listen())


def test_support_says_nothing_in_the_persons_name(first: Process, company: Company) -> None:
    alice, bob = company.people
    channel = company.group()
    alice.say(channel, "Hello")
    support = support_as(bob)

    async def listen() -> None:
        async with (
            signed_in_socket(first.url, support.token) as (theirs, _),
            signed_in_socket(first.url, alice.token) as (sees, _),
        ):
            # More often than a client may be wrong: it is not the client's mistake.
            for number in range(12):
                read = {"t": "read", "id": "r", "channelId": channel, "seq": 1}
                await theirs.say({"t": "typing", "channelId": channel} if number else read)
                assert (await theirs.hear("error"))["code"] == "not_while_impersonating"
            await fence(theirs)
            await fence(sees)
            assert "typing" not in [frame["t"] for frame in sees.frames]

    asyncio.run(listen())
    assert data(bob.api.get("/chat/unread-count"))["unreadCount"] == 1


def test_a_socket_does_not_change_hands(first: Process, company: Company) -> None:
    bob = company.people[1]
    support = support_as(bob)

    async def listen() -> None:
        async with signed_in_socket(first.url, bob.token) as (own, _):
            await own.say({"t": "auth", "token": support.token})
            assert await own.closed() == 4403
        async with signed_in_socket(first.url, support.token) as (theirs, _):
            await theirs.say({"t": "auth", "token": bob.token})
            assert await theirs.closed() == 4403

    asyncio.run(listen())
