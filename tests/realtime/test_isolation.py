"""Many tenants with equal numbers on the same processes: nobody ever gets a frame of somebody else."""

import asyncio
from contextlib import AsyncExitStack
from uuid import UUID

import orjson
import pytest

from platform_site.binding import bind
from platform_site.realtime.envelopes import Header
from platform_site.realtime.publishing import publish, topic
from tests.realtime.processes import Process
from tests.realtime.shared import Company, Shared
from tests.realtime.sockets import Bare, aside, signed_in_socket
from tests.support import scaled, threads_close_connections

TENANTS, PEOPLE = scaled(8, 20), scaled(5, 10)
MESSAGES = scaled(2_000, 50_000) // TENANTS
THREADS = 4
# The same channel, by its number, in every tenant.
CHANNEL = UUID("019aaf1e-5d2c-7a31-9c0e-000000000001")


def everybody(company: Company) -> str:
    """A group of all whose id is the same in every company."""
    from chat.models import Channel, Member

    with bind(company.tenant.ref):
        users = [person.api.user for person in company.people]
        made = Channel.objects.create(id=CHANNEL, kind=Channel.Kind.GROUP, name="Everybody", created_by=users[0])
        Member.objects.bulk_create(Member(user=user, channel=made) for user in users)
    return str(CHANNEL)


def talk(companies: list[Company], first: int) -> None:
    """One after the other of all companies, so that neighbours in the stream belong to different ones."""
    with threads_close_connections():
        for number in range(first, MESSAGES, THREADS):
            for company in companies:
                company.people[number % PEOPLE].say(str(CHANNEL), f"{company.slug} {number}")


@pytest.mark.timeout(scaled(300, 3600))
def test_equal_numbers_in_many_tenants_never_mix(first: Process, shared: Shared) -> None:
    companies = [Company(PEOPLE) for _ in range(TENANTS)]
    channels = {everybody(company) for company in companies}
    assert len(channels) == 1
    assert {person.number for company in companies for person in company.people} == set(range(1, PEOPLE + 1))
    sockets: list[tuple[Company, Bare]] = []

    async def hear(company: Company, socket: Bare) -> list[tuple[int, str]]:
        """(seq, content) of what is said until the last message; every frame is theirs."""
        said = []
        async for text in socket.connection:
            assert all(other.slug + " " not in str(text) for other in companies if other is not company)
            frame = orjson.loads(text)
            if frame["t"] == "message.created":
                said.append((frame["seq"], frame["d"]["content"]))
                if len(said) == MESSAGES:
                    return said
        raise AssertionError("It ended.")

    async def listen() -> None:
        async with AsyncExitStack() as stack:
            for company in companies:
                for person in company.people:
                    opened = signed_in_socket(first.url, person.token)
                    sockets.append((company, (await stack.enter_async_context(opened))[0]))
            hearing = asyncio.gather(*(hear(company, socket) for company, socket in sockets))
            talking = asyncio.gather(*(asyncio.to_thread(talk, companies, number) for number in range(THREADS)))
            heard = await hearing
            await talking
            for company in companies:
                stored = await aside(company.stored, str(CHANNEL))
                assert len(stored) == MESSAGES
                lists = [said for (whose, _), said in zip(sockets, heard, strict=True) if whose is company]
                # In order, once each, and word for word.
                assert lists == [stored] * PEOPLE

    asyncio.run(listen())


def test_an_envelope_reaches_the_people_of_its_own_tenant_alone(first: Process, shared: Shared) -> None:
    one, other = Company(1), Company(3)
    channel = other.group()

    async def listen() -> None:
        async with (
            signed_in_socket(first.url, one.people[0].token) as (own, _),
            signed_in_socket(first.url, other.people[0].token) as (same_number, _),
            signed_in_socket(first.url, other.people[2].token) as (foreign, _),
        ):
            # Numbers and a channel that the first company does not have, and one number that both have.
            where, everybody = topic(one.tenant.id), (1, 2, 3, 10**9)
            envelopes = [
                (Header(kind="plain", to=everybody, channel=channel, number=5), {"t": "x", "for": "one"}),
                (Header(kind="message", to=everybody, channel=channel, number=6), {"t": "x", "for": "one"}),
                (Header(kind="fleeting", to=everybody), {"t": "x", "for": "one"}),
                (Header(kind="plain"), {"t": "x", "for": "one"}),
                (Header(kind="look"), b""),
            ]
            await aside(publish, where, envelopes)
            for _ in range(4):
                assert (await own.hear("x"))["for"] == "one"
            # Nothing of it has moved the lines of the other company.
            said = await aside(other.people[0].say, channel, "hello")
            for socket in (same_number, foreign):
                assert (await socket.hear("message.created"))["d"] == said
                await socket.say({"t": "ping"})
                await socket.hear("pong")
                assert not [frame for frame in socket.frames if frame["t"] == "x"]

    asyncio.run(listen())
