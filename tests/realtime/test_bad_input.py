"""What a client may do wrong, by mistake or on purpose, and what it gets for that."""

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from platform_site.realtime.protocol import FRAME_BYTES, SIGN_IN_BYTES, SOCKETS_PER_PERSON, STRANGERS_PER_ADDRESS
from tests.realtime.processes import Process
from tests.realtime.readers import until
from tests.realtime.shared import FRONTEND, LISTED, Company
from tests.realtime.sockets import Bare, aside, bare, signed_in_socket

pytestmark = pytest.mark.timeout(120)

DEEP = '{"t":"auth","token":' + "[" * 2000 + "]" * 2000 + "}"
UNKNOWN = str(uuid4())


@pytest.mark.parametrize(
    "said",
    [
        '{"t":"ping"}',
        '{"t":"typing","channelId":"x"}',
        "",
        "null",
        "[]",
        '"auth"',
        "{",
        "{}",
        '{"t":1}',
        '{"t":"auth","token":5}',
        '{"t":"auth","token":"x","since":[]}',
        '{"t":"auth","token":"x","since":{"c":"1"}}',
        '{"t":"auth","token":"x","since":{"c":[1]}}',
        '{"t":"auth","token":"x","since":{"c":[1,2,3]}}',
        '{"t":"auth","token":"x","since":{"c":[1.5,2]}}',
        DEEP,
        '{"t":"auth","token":"' + "x" * (SIGN_IN_BYTES + 1 - 23) + '"}',
    ],
    ids=lambda said: said[:40],
)
def test_whoever_does_not_sign_in_first_is_gone(first: Process, said: str) -> None:
    async def listen() -> None:
        async with bare(first.url) as socket:
            await socket.say(said)
            assert await socket.closed() == 4500

    asyncio.run(listen())


def test_a_first_frame_may_be_as_long_as_promised(first: Process, company: Company) -> None:
    said = '{"t":"auth","token":"' + company.people[0].token + '","x":"%s"}'
    said %= "x" * (SIGN_IN_BYTES + 2 - len(said))

    async def listen() -> None:
        async with bare(first.url) as socket:
            await socket.say(said)
            await socket.hear("ready")

    assert len(said) == SIGN_IN_BYTES
    asyncio.run(listen())


POSITIONS: list[dict[str, Any]] = [
    {UNKNOWN: [2**62, 2**62]},
    {UNKNOWN: [2**63, 0]},
    {UNKNOWN: [10**30, 0]},
    {UNKNOWN: 10**30},
    {UNKNOWN: [-1, -5]},
    {"\x00": [1, 1]},
    {"no id": [1, 1]},
    {"": 0},
    {str(number): [number, number] for number in range(300)},
]
LAST: list[Any] = ["", "x", "\x00", UNKNOWN, "0" * 7000, "\ud800"]


def test_what_a_client_kept_may_be_anything(first: Process, company: Company) -> None:
    """One that kept nonsense is told how things are all the same, or that it said nonsense."""
    alice, channel = company.people[0], company.group()
    kept: list[dict[str, Any]] = [{"lastNotificationId": last} for last in LAST]
    for since in POSITIONS:
        kept += [{"since": since}, {"since": {channel: next(iter(since.values()))}}]
    kept.append({"since": {channel.upper(): [0, 0]}})

    async def listen() -> None:
        for hello in kept:
            async with bare(first.url) as socket:
                await socket.say(json.dumps({"t": "auth", "token": alice.token, **hello}))
                assert await welcomed(socket) in (True, 4500), hello

    asyncio.run(listen())


async def welcomed(socket: Bare) -> bool | int | None:
    """Whether it was let in, or else the code with which it ended; None where it was cut."""
    try:
        return bool(await socket.hear("ready"))
    except ConnectionClosed as closed:
        return int(closed.rcvd.code) if closed.rcvd else None


WRONG = [
    ("", "malformed_frame"),
    ("null", "malformed_frame"),
    ("[]", "malformed_frame"),
    ('["t","ping"]', "malformed_frame"),
    ("{", "malformed_frame"),
    ("{}", "malformed_frame"),
    ('{"t":5}', "malformed_frame"),
    ('{"t":"ping","id":"\\ud800"}', "malformed_frame"),
    ("[" * 5000 + "]" * 5000, "malformed_frame"),
    ('{"t":"ping","x":' + "[" * 5000 + "]" * 5000 + "}", "malformed_frame"),
    ('{"t":"nothing"}', "unknown_frame"),
    ('{"t":"' + "x" * 60_000 + '"}', "unknown_frame"),
    ('{"t":"\\u0000"}', "unknown_frame"),
    ('{"t":"ready"}', "unknown_frame"),
    ('{"t":"presence"}', "validation_failed"),
    ('{"t":"presence","userIds":5}', "validation_failed"),
    ('{"t":"presence","userIds":["1"]}', "validation_failed"),
    ('{"t":"presence","userIds":[true]}', "validation_failed"),
    ('{"t":"presence","userIds":[1.5]}', "validation_failed"),
    ('{"t":"presence","userIds":[' + ",".join(["1"] * 201) + "]}", "validation_failed"),
    ('{"t":"typing"}', "validation_failed"),
    ('{"t":"typing","channelId":5}', "validation_failed"),
    ('{"t":"typing","channelId":"\\u0000"}', "validation_failed"),
    ('{"t":"typing","channelId":"{unknown}"}', "not_found"),
    ('{"t":"typing","channelId":"{foreign}"}', "not_found"),
    ('{"t":"read"}', "validation_failed"),
    ('{"t":"read","channelId":"{unknown}"}', "validation_failed"),
    ('{"t":"read","channelId":"{unknown}","seq":1}', "not_found"),
    ('{"t":"read","channelId":"{foreign}","seq":1}', "not_found"),
    ('{"t":"read","channelId":"{own}","seq":-1}', "validation_failed"),
    ('{"t":"read","channelId":"{own}","seq":1.5}', "validation_failed"),
    ('{"t":"read","channelId":"{own}","seq":true}', "validation_failed"),
    ('{"t":"read","channelId":"{own}","seq":"1"}', "validation_failed"),
    ('{"t":"read","channelId":"{own}","seq":9223372036854775808}', "validation_failed"),
    ('{"t":"read","channelId":"{own}","seq":1' + "0" * 400 + "}", "validation_failed"),
]


def test_a_wrong_frame_is_refused_and_the_socket_stays(first: Process, company: Company) -> None:
    alice, own, foreign = company.people[0], company.group(), Company(2).group()

    async def listen() -> None:
        for begin in range(0, len(WRONG), 9):
            async with signed_in_socket(first.url, alice.token) as (socket, _):
                for said, code in WRONG[begin : begin + 9]:
                    for name, value in {"{own}": own, "{foreign}": foreign, "{unknown}": UNKNOWN}.items():
                        said = said.replace(name, value)
                    await socket.say(said)
                    answer = await socket.hear("error")
                    assert answer["code"] == code, (said[:100], answer)
                    assert len(answer["message"]) < 200
                await socket.say({"t": "ping", "id": "still here"})
                assert await socket.hear("pong") == {"t": "pong", "id": "still here"}

    asyncio.run(listen())


def test_an_answer_is_named_as_it_was_asked_for_or_not_at_all(first: Process, company: Company) -> None:
    odd = ["1" + "0" * 30, "1" + "0" * 4000, "-1", "true", "1.5", "null", "{}", '"\\u0000"']

    async def listen() -> None:
        for number in odd:
            async with signed_in_socket(first.url, company.people[0].token) as (socket, _):
                for kind, answer in (("ping", "pong"), ("nothing", "error")):
                    await socket.say(f'{{"t":"{kind}","id":{number}}}')
                    await socket.hear(answer)

    asyncio.run(listen())


def test_the_largest_read_mark_is_the_last_message(first: Process, company: Company) -> None:
    alice, bob = company.people
    channel = company.group()

    async def listen() -> None:
        async with signed_in_socket(first.url, bob.token) as (socket, _):
            await aside(alice.say, channel, "hello")
            await socket.say({"t": "read", "id": 7, "channelId": channel, "seq": 2**63 - 1})
            answer = await socket.hear("ok")
            assert (answer["id"], answer["d"]["lastReadSeq"], answer["d"]["totalUnread"]) == (7, 1, 0)

    asyncio.run(listen())


def test_ten_wrong_frames_are_enough(first: Process, company: Company) -> None:
    async def listen() -> None:
        async with signed_in_socket(first.url, company.people[0].token) as (socket, _):
            for _ in range(10):
                await socket.say({"t": "nothing"})
            assert await socket.closed() == 4500
            assert [frame["t"] for frame in socket.frames].count("error") == 9

    asyncio.run(listen())


def test_a_frame_that_is_too_long_or_binary_ends_it(first: Process, company: Company) -> None:
    token = company.people[0].token
    padded = '{"t":"ping","x":"%s"}'

    async def listen() -> None:
        async with signed_in_socket(first.url, token) as (socket, _):
            await socket.say(padded % ("x" * (FRAME_BYTES - len(padded) + 2)))
            await socket.hear("pong")
            await socket.say(padded % ("x" * (FRAME_BYTES - len(padded) + 3)))
            assert await socket.closed() in (1009, 4500)
        async with signed_in_socket(first.url, token) as (socket, _):
            await socket.connection.send(b'{"t":"ping"}')
            assert await socket.closed() == 4500
        async with bare(first.url) as socket:
            await socket.connection.send(b"{}")
            assert await socket.closed() == 4500

    asyncio.run(listen())


def test_too_many_frames_at_once_end_it(first: Process, company: Company) -> None:
    async def listen() -> None:
        async with signed_in_socket(first.url, company.people[0].token) as (socket, _):
            for number in range(20):
                await socket.say({"t": "ping", "id": number})
            await socket.hear("pong", lambda frame: frame["id"] == 19)
            await asyncio.sleep(1)
            for number in range(60):
                await socket.say({"t": "ping", "id": number})
            assert await socket.closed() == 4013

    asyncio.run(listen())


def test_a_person_has_twenty_sockets_at_most(first: Process, company: Company) -> None:
    alice, bob = company.people

    async def listen() -> None:
        async with AsyncExitStack() as stack:
            sockets = [
                (await stack.enter_async_context(signed_in_socket(first.url, alice.token)))[0]
                for _ in range(SOCKETS_PER_PERSON)
            ]
            async with bare(first.url) as socket:
                await socket.say({"t": "auth", "token": alice.token})
                assert await socket.closed() == 4504
            async with signed_in_socket(first.url, bob.token):
                pass
            await sockets[0].connection.close()
            async with signed_in_socket(first.url, alice.token):
                pass
            for socket in sockets[1:]:
                await socket.say({"t": "ping"})
                await socket.hear("pong")

    asyncio.run(listen())


def test_an_address_has_twenty_strangers_at_most_and_they_do_not_stay(first: Process, company: Company) -> None:
    async def listen() -> None:
        async with AsyncExitStack() as stack:
            strangers = [await stack.enter_async_context(bare(first.url)) for _ in range(STRANGERS_PER_ADDRESS)]
            async with bare(first.url) as socket:
                assert await socket.closed() == 4504
            # One who says who they are makes room for another.
            await strangers[0].say({"t": "auth", "token": company.people[0].token})
            await strangers[0].hear("ready")
            async with signed_in_socket(first.url, company.people[1].token):
                pass
            assert await asyncio.gather(*(one.closed() for one in strangers[1:])) == [4501] * 19
            async with bare(first.url) as socket:
                await socket.say({"t": "auth", "token": "x"})
                assert await socket.closed() == 4503

    asyncio.run(listen())


def test_a_page_of_somebody_else_may_not_connect(first: Process, company: Company) -> None:
    own, token = f"http://127.0.0.1:{first.port}", company.people[0].token
    foreign = (
        "https://evil.test",
        "null",
        "http://localhost",
        own + ".evil.test",
        own + "0",
        "https://*",
        FRONTEND + "0",
    )

    async def listen() -> None:
        for origin in foreign:
            with pytest.raises(InvalidStatus) as refused:
                async with bare(first.url, f"bearer.{token}", origin=origin):
                    pass
            assert refused.value.response.status_code == 403, origin
        # Its own pages, the frontends that settings name, and what is no browser.
        for allowed in (own, FRONTEND, LISTED, None):
            async with bare(first.url, f"bearer.{token}", origin=allowed) as socket:
                await socket.hear("ready")

    asyncio.run(listen())


def test_no_secret_stands_in_an_address(first: Process, company: Company) -> None:
    async def listen() -> None:
        async with bare(f"{first.url}?token={company.people[0].token}") as socket:
            # It is a stranger like any other.
            await socket.say({"t": "ping"})
            assert await socket.closed() == 4500

    asyncio.run(listen())


def test_a_token_as_subprotocol(first: Process, company: Company) -> None:
    token = company.people[0].token

    async def listen() -> None:
        async with bare(first.url, f"bearer.{token}") as socket:
            assert socket.connection.subprotocol == "core.v1"
            await socket.hear("ready")
        async with bare(first.url, "bearer.x") as socket:
            assert await socket.closed() == 4503

    asyncio.run(listen())


def test_a_ticket_works_once(first: Process, company: Company) -> None:
    alice = company.people[0]

    async def ticket() -> str:
        answer = await aside(alice.api.post, "/auth/ws-ticket")
        assert answer.status_code in (200, 201), answer.content
        return str(answer.json()["data"]["ticket"])

    async def listen() -> None:
        one, other = await ticket(), await ticket()
        async with bare(first.url, f"ticket.{one}") as socket:
            ready = await socket.hear("ready")
            assert ready["user"]["userId"] == alice.number
        async with bare(first.url) as socket:
            await socket.say({"t": "auth", "ticket": other})
            await socket.hear("ready")
        for used in (one, other, "x", "\x00"):
            async with bare(first.url) as socket:
                await socket.say({"t": "auth", "ticket": used})
                assert await socket.closed() == 4401

    asyncio.run(listen())


def test_nothing_listens_at_other_paths(first: Process) -> None:
    async def listen() -> None:
        for path in ("/ws/other", "/ws/v1/", "/ws/v11", "/ws", "/"):
            # Closed with 4404 before it was accepted, which is a 403 to the handshake.
            with pytest.raises(InvalidStatus) as refused:
                async with bare(first.url.removesuffix("/ws/v1") + path):
                    pass
            assert refused.value.response.status_code == 403

    asyncio.run(listen())


def test_whoever_breaks_the_protocol_itself_hurts_nobody_else(first: Process, company: Company) -> None:
    alice, bob = company.people

    async def listen() -> None:
        async with signed_in_socket(first.url, bob.token) as (stays, _):
            for broken in (b"\x81\xfe", b"\xff" * 20, b"\x81\x82\x00\x00\x00\x00\xff\xfe"):
                async with signed_in_socket(first.url, alice.token) as (socket, _):
                    socket.connection.transport.write(broken)
                    socket.connection.transport.write_eof()
                    await _gone(socket)
            await stays.say({"t": "ping"})
            await stays.hear("pong")
            await until(lambda: first.metrics()["sockets"] == 1)

    asyncio.run(listen())


async def _gone(socket: Bare) -> None:
    with pytest.raises(ConnectionClosed):
        await socket._hear_all()
