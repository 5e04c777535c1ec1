"""Connections that break at random, and a server that dies now and then, while people talk."""

import asyncio
import random

import pytest

from tests.realtime.processes import Process
from tests.realtime.readers import agree, reading, talking
from tests.realtime.shared import Company, Shared
from tests.realtime.sockets import aside, signed_in_socket
from tests.support import scaled

pytestmark = pytest.mark.timeout(scaled(300, 3600))

CYCLES = scaled(50, 1_000)
CLIENTS = scaled(6, 16)
# The process is killed once in so many cycles.
KILLED = scaled(30, 100)


def test_whatever_breaks_everybody_has_the_same_list(second: Process, shared: Shared) -> None:
    company = Company(CLIENTS)
    channel = company.group()
    breaks = 0

    async def listen() -> None:
        nonlocal breaks
        async with reading(company.people, second) as readers:
            async with talking(company.people[:2], channel, pause=0.03) as talk:
                for cycle in range(1, CYCLES + 1):
                    if cycle % KILLED == 0:
                        second.kill()
                        await asyncio.to_thread(second.start)
                    some = random.sample(readers, random.randint(1, CLIENTS // 2))
                    await asyncio.gather(*(reader.client.drop() for reader in some))
                    # Some come back in the middle of something, and some are cut while they come back.
                    await asyncio.sleep(random.uniform(0, 0.15))
                    await talk.goes_on()
            stored = await aside(company.stored, channel)
            assert len(stored) == len(talk.said) > CYCLES
            await agree(readers, channel, stored, 60)
            breaks = sum(len(reader.codes) for reader in readers)

    asyncio.run(listen())
    assert breaks > CYCLES


def test_whoever_comes_in_the_middle_of_it_misses_nothing_in_between(first: Process, shared: Shared) -> None:
    """What they are told at first, what they missed, and what happens from then on join without a hole."""
    company = Company(3)
    channel = company.group()

    async def come(seq: int, change: int) -> tuple[int, int]:
        """Gives the position that was reached."""
        since = {channel: [seq, change]}
        async with signed_in_socket(first.url, company.people[2].token, since=since) as (socket, _):
            while (resumed := await socket.next())["t"] not in ("resumed", "gap"):
                pass
            if resumed["t"] == "gap":
                # It took so long to come that this is more than is sent.
                return resumed["to"], resumed["ch"]
            for _ in range(3):
                await socket.hear("message.created")
        for frame in socket.frames:
            if frame["t"] == "message.created":
                # Something may be told twice, and nothing left out.
                assert frame["seq"] <= seq + 1
                seq = max(seq, frame["seq"])
        return seq, resumed["ch"]

    async def listen() -> None:
        async with talking(company.people[:2], channel, pause=0.005) as talk:
            position = 0, 0
            await talk.goes_on(5)
            for _ in range(scaled(40, 1_000)):
                position = await come(*position)

    asyncio.run(listen())
