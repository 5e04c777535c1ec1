"""The clients in Python and JavaScript against a server that sends what a test tells it to, late, twice or never."""

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.python.core_realtime import PAGE, CoreRealtime
from tests.clients.driving import LANGUAGES, Driven, DrivenPython, Stage, play
from tests.clients.scripted import Connection, Server
from tests.support import scaled

pytestmark = [pytest.mark.no_django, pytest.mark.parametrize("language", LANGUAGES)]

UNAVAILABLE = {"success": False, "error": {"code": "service_unavailable", "message": "Not now."}}


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.close()


async def connected(server: Server, client: Driven) -> Connection:
    await client.call("connect")
    connection = await server.welcomed()
    await client.sees("state", state="ready")
    return connection


def test_the_first_frame_says_who_it_is_and_where_it_stands(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channel = server.channel(messages=3)
        connection = await connected(server, client)
        assert (connection.first["t"], connection.first["token"], connection.since) == ("auth", "token 1", {})
        assert connection.socket.subprotocol == "core.v1"
        assert await client.sees("counts")
        # Where everything is new, nothing is news.
        assert client.of("channel") == []
        await connection.say(channel.post("four"), channel.edit(2, "two"))
        await client.sees("change")
        await connection.cut()
        missed = channel.post("five")["d"]
        connection = await server.welcomed()
        assert connection.since == {"c1": [4, 1]}
        await client.sees("message", seq=5, message={**missed, "clientMessageId": None})
        assert client.lists["c1"] == [(4, "four"), (5, "five")]
        assert [state["state"] for state in client.of("state")] == [
            *("connecting", "ready", "waiting", "connecting", "ready"),
        ]

    play(stage, language, story)


def test_what_comes_in_the_wrong_order_is_handed_on_in_the_right_one(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channel = server.channel()
        connection = await connected(server, client)
        frames = [channel.post(f"m{number}") for number in range(5)]
        await connection.say(*(frames[place] for place in (1, 0, 3, 4, 2)))
        await client.lists_all(channel)
        assert server.requests == []

    play(stage, language, story)


def test_what_comes_twice_is_handed_on_once(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channel = server.channel(messages=2)
        connection = await connected(server, client)
        first, second = channel.post("three"), channel.post("four")
        changed = channel.edit(3, "3")
        await connection.say(
            second, second, first, first, changed, changed, second, changed, {"t": "typing", "c": "c1"}
        )
        await client.sees("typing")
        assert [event["seq"] for event in client.of("message")] == [3, 4]
        assert [event["seq"] for event in client.of("change")] == [3]

    play(stage, language, story)


def test_a_hole_that_stays_is_filled_by_asking_and_what_follows_waits_for_it(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channel = server.channel(messages=1)
        connection = await connected(server, client)
        server.answers.clear()
        channel.post("lost")
        await connection.say(channel.post("three"))
        await client.until(lambda: server.requests)
        await connection.say(channel.post("four"), {"t": "typing", "c": "c1"})
        await client.sees("typing")
        assert client.of("message") == []
        server.answers.set()
        await client.until(lambda: client.lists.get("c1") == channel.contents[1:])
        assert server.requests == ["GET /api/v1/chat/channels/c1/messages?after=1&limit=200"]

    play(stage, language, story)


def test_a_hole_of_messages_that_nobody_has_any_more_holds_nothing_up(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channel = server.channel(messages=10)
        connection = await connected(server, client)
        for number in range(4):
            channel.post(f"kept too long {number}")
        channel.purged = 14
        fifteen = channel.post("fifteen")
        await connection.say(fifteen)
        await client.sees("message")
        await connection.say(fifteen)
        # All that was announced may be gone by the time that it is asked for.
        await connection.say({"t": "resumed", "c": "c1", "from": 16, "to": 20, "ch": 0})
        await client.until(lambda: len(server.requests) == 2)
        await asyncio.sleep(0.1)
        await connection.cut()
        connection = await server.connection()
        assert connection.since == {"c1": [20, 0]}
        channel.messages += [{**channel.messages[0], "seq": seq} for seq in range(16, 21)]
        channel.purged = 20
        await server.welcome(connection)
        await connection.say(channel.post("twenty-one"))
        await client.sees("message", seq=21)
        assert client.lists["c1"] == [(15, "fifteen"), (21, "twenty-one")]

    play(stage, language, story)


def test_a_gap_is_read_page_by_page_while_live_messages_wait(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        await client.end()
        await client.make(server, timing={"hole": 60})
        channel = server.channel(messages=1)
        connection = await connected(server, client)
        await connection.cut()
        for number in range(450):
            channel.post(f"missed {number}")
        server.answers.clear()
        connection = await server.welcomed()
        await client.until(lambda: server.requests)
        await connection.say(channel.post("live"), {"t": "typing", "c": "c1"})
        await client.sees("typing")
        assert client.of("message") == []
        server.answers.set()
        await client.until(lambda: client.lists.get("c1") == channel.contents[1:])
        assert [request.rpartition("after=")[2] for request in server.requests] == [
            f"{after}&limit=200" for after in (1, 201, 401)
        ]

    play(stage, language, story)


def test_a_page_from_before_a_cut_hides_no_change_from_after_it(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        server.limit = 1
        channel = server.channel()
        connection = await connected(server, client)
        # The page was read, and is still on its way when the message is changed and the connection ends.
        server.late.clear()
        channel.post("lost")
        await connection.say(channel.post("two"))
        await client.until(lambda: server.read)
        channel.edit(1, "edited")
        await connection.cut()
        connection = await server.welcomed()
        await connection.say({"t": "typing", "c": "c1"})
        await client.sees("typing")
        server.late.set()
        await client.lists_all(channel)

    play(stage, language, story)


def test_a_page_that_comes_before_ready_hides_no_change_from_before_it(stage: Stage, language: str) -> None:
    """The server takes what lies behind the named positions for unknown, so nothing may move these meanwhile."""

    async def story(server: Server, client: Driven) -> None:
        server.limit = 1
        channel = server.channel()
        connection = await connected(server, client)
        server.late.clear()
        channel.post("lost")
        await connection.say(channel.post("two"))
        await client.until(lambda: server.read)
        await connection.cut()
        connection = await server.connection()
        server.late.set()
        # A moment in which the page could be taken, and in which it would be too early.
        await asyncio.sleep(0.2)
        channel.edit(1, "edited")
        await server.welcome(connection)
        await client.lists_all(channel)

    play(stage, language, story)


def test_nor_does_an_answer_to_ones_own_message_that_comes_before_ready(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        server.limit = 1
        channel = server.channel()
        connection = await connected(server, client)
        await connection.cut()
        connection = await server.connection()
        await client.call("send", "c1", "one", {})
        await client.sees("sent")
        channel.edit(1, "edited")
        channel.post("two")
        await server.welcome(connection)
        await client.lists_all(channel)

    play(stage, language, story)


def test_a_gap_in_the_middle_is_read_and_what_was_handed_on_is_loaded_again(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channel = server.channel()
        connection = await connected(server, client)
        await connection.say(channel.post("one"))
        for number in range(2, 6):
            channel.post(f"m{number}")
        # Of messages alone: nothing is said of changes.
        await connection.say({"t": "gap", "c": "c1", "from": 2, "to": 5})
        await client.lists_all(channel)
        assert client.of("refresh") == []
        channel.edit(1, "edited")
        await connection.say({"t": "gap", "c": "c1", "from": 1, "to": 5, "ch": 1})
        assert (await client.sees("refresh", reason="changes"))["channel_id"] == "c1"
        await connection.cut()
        assert (await server.connection()).since == {"c1": [5, 1]}

    play(stage, language, story)


def test_what_was_held_through_a_cut_and_is_old_by_then_is_put_right(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channel = server.channel()
        connection = await connected(server, client)
        channel.post("lost")
        await connection.say(channel.post("two"), {"t": "typing", "c": "c1"})
        await client.sees("typing")
        await connection.cut()
        # The state of the second message that comes with the first is newer than the one that waits for it.
        channel.edit(2, "two, edited")
        await server.welcomed()
        await client.lists_all(channel)

    play(stage, language, story)


def test_what_was_held_through_a_cut_is_read_again_behind_a_page(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        server.limit = 1
        channel = server.channel()
        connection = await connected(server, client)
        # Nothing is read before the cut.
        server.answers.clear()
        for _ in range(PAGE):
            channel.post("lost")
        await connection.say(channel.post("the first of the next page"), {"t": "typing", "c": "c1"})
        await client.sees("typing")
        await connection.cut()
        channel.edit(PAGE + 1, "edited")
        await server.welcomed()
        server.answers.set()
        await client.lists_all(channel)

    play(stage, language, story)


def test_what_cannot_be_read_now_is_read_later(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channel = server.channel()
        connection = await connected(server, client)
        server.failures = [None, (503, UNAVAILABLE), (401, UNAVAILABLE)]
        channel.post("lost")
        await connection.say(channel.post("two"))
        await client.lists_all(channel)
        assert len(server.requests) == 4
        assert client.of("token")[-1]["fresh"]

    play(stage, language, story)


def test_the_cut_of_a_connection_does_not_lose_a_hole_that_was_open(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channel = server.channel()
        connection = await connected(server, client)
        channel.post("lost")
        await connection.say(channel.post("two"), {"t": "typing", "c": "c1"})
        await client.sees("typing")
        await connection.cut()
        await server.welcomed()
        await client.lists_all(channel)
        assert server.requests == []

    play(stage, language, story)


def test_a_change_is_applied_when_it_is_newer_and_to_what_is_still_held(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channel = server.channel(messages=1)
        connection = await connected(server, client)
        older, newer = channel.edit(1, "older"), channel.edit(1, "newer")
        await connection.say(newer, older)
        two, three, four = (channel.post(word) for word in ("two", "three", "four"))
        three_edited, four_edited = channel.edit(3, "three, edited"), channel.edit(4, "four, edited")
        await connection.say(three_edited, three, four, four_edited, two, {"t": "typing", "c": "c1"})
        await client.sees("typing")
        assert [event["message"]["content"] for event in client.of("change")] == ["newer"]
        assert client.lists["c1"][-3:] == [(2, "two"), (3, "three, edited"), (4, "four, edited")]
        await connection.cut()
        assert (await server.connection()).since == {"c1": [4, 4]}

    play(stage, language, story)


def test_the_position_of_changes_moves_without_a_hole_and_by_what_was_resumed(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channel = server.channel(messages=3)
        connection = await connected(server, client)
        lost, second = channel.edit(1, "lost"), channel.edit(2, "told")
        await connection.say(second)
        await client.sees("change")
        await connection.cut()
        connection = await server.connection()
        assert connection.since == {"c1": [3, 0]}
        # One message is changed again and again: its earlier numbers never come.
        for number in range(5):
            channel.edit(3, f"edit {number}")
        await server.welcome(connection)
        await client.until(lambda: ("c1", 3) in [(one["channel_id"], one["seq"]) for one in client.of("change")])
        assert [(one["seq"], one["change_seq"]) for one in client.of("change")] == [(2, 2), (1, lost["ch"]), (3, 7)]
        await connection.cut()
        assert (await server.connection()).since == {"c1": [3, 7]}

    play(stage, language, story)


def test_more_changes_than_are_sent_are_a_reason_to_load_the_channel_again(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        server.limit = 3
        channel, other = server.channel(messages=10), server.channel("c2", messages=10)
        connection = await connected(server, client)
        await connection.cut()
        for seq in range(1, 6):
            channel.edit(seq, "edited")
        for _ in range(5):
            other.post("more than are sent")
        connection = await server.welcomed()
        assert (await client.sees("refresh"))["channel_id"] == "c1"
        await client.until(lambda: client.lists.get("c2") == other.contents[10:])
        await connection.cut()
        assert (await server.connection()).since == {"c1": [10, 5], "c2": [15, 0]}
        assert [event["channel_id"] for event in client.of("refresh")] == ["c1"]

    play(stage, language, story)


def test_another_epoch_forgets_the_positions_and_says_so(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channel = server.channel(messages=9)
        connection = await connected(server, client)
        await connection.cut()
        server.epoch = 2
        del channel.messages[4:]
        connection = await server.connection()
        await connection.say(server.ready(connection.since))
        assert (await client.sees("refresh"))["reason"] == "epoch"
        await connection.say(channel.post("five, again"))
        await client.sees("message", seq=5)
        await connection.cut()
        assert (await server.connection()).since == {"c1": [5, 0]}

    play(stage, language, story)


def test_numbers_that_went_back_within_an_epoch_are_believed_too(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channel = server.channel(messages=9)
        connection = await connected(server, client)
        await connection.cut()
        del channel.messages[4:]
        connection = await server.welcomed()
        assert (await client.sees("refresh"))["channel_id"] == "c1"
        await connection.say(channel.post("five, again"))
        await client.sees("message", seq=5)

    play(stage, language, story)


def test_a_position_of_somebody_else_is_not_used(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        server.channel(messages=3)
        connection = await connected(server, client)
        server.user = "somebody else"
        await connection.close(4403)
        connection = await server.welcomed()
        assert connection.first["token"] == "token 2"
        assert await client.sees("refresh", reason="epoch")

    play(stage, language, story)


def test_a_server_that_was_too_slow_for_this_client_is_come_back_to_with_positions(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channel = server.channel()
        connection = await connected(server, client)
        await connection.say(channel.post("one"))
        await client.sees("message")
        channel.post("two")
        await connection.close(4008)
        connection = await server.welcomed()
        assert connection.since == {"c1": [1, 0]}
        await client.lists_all(channel)
        waited = client.of("state", state="waiting")[0]
        assert waited["code"] == 4008
        assert not any(token["fresh"] for token in client.of("token"))

    play(stage, language, story)


@pytest.mark.parametrize("code", [4000, 4009, 4010, 4013, 1011])
def test_other_ends_are_come_back_from(stage: Stage, language: str, code: int) -> None:
    async def story(server: Server, client: Driven) -> None:
        connection = await connected(server, client)
        await connection.close(code)
        await server.welcomed()
        assert (await client.sees("state", state="waiting"))["code"] == code

    play(stage, language, story)


@pytest.mark.parametrize("code", [4500, 4501, 4503, 4504, 4507])
def test_some_ends_are_the_end_until_somebody_says_otherwise(stage: Stage, language: str, code: int) -> None:
    async def story(server: Server, client: Driven) -> None:
        connection = await connected(server, client)
        await connection.close(code)
        assert (await client.sees("state", state="stopped"))["code"] == code
        await asyncio.sleep(0.2)
        assert client.events[-1]["state"] == "stopped"
        await client.call("connect")
        await server.welcomed()

    play(stage, language, story)


def test_a_token_that_ended_is_replaced_at_once_and_then_with_a_pause(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        connection = await connected(server, client)
        await connection.close(4401)
        assert (await client.sees("state", state="waiting"))["delay"] == 0
        connection = await server.connection()
        assert connection.first["token"] == "token 2"
        await connection.close(4401)
        connection = await server.connection()
        assert connection.first["token"] == "token 3"
        assert client.of("state", state="waiting")[-1]["delay"] > 0

    play(stage, language, story)


def test_a_token_that_is_about_to_end_is_renewed_on_the_open_socket(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        connection = await connected(server, client)
        await connection.say({"t": "auth.expiring", "in": 60})
        renewed = await connection.hears("auth")
        assert renewed["token"] == "token 2"
        await connection.say({"t": "ok", "d": {"exp": 1}})
        assert len(client.of("state", state="ready")) == 1

    play(stage, language, story)


def test_pauses_double_by_chance_within_their_bounds(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        await client.end()
        await client.make(server, timing={"shortest": 0.01, "longest": 0.05})
        await client.call("connect")
        for _ in range(6):
            await (await server.connection()).cut()
        await client.until(lambda: len(client.of("state", state="waiting")) == 6)
        factor = 1 if language == "python" else 1000
        delays = [state["delay"] / factor for state in client.of("state", state="waiting")]
        assert all(0.01 <= delay <= 0.05 for delay in delays)
        assert delays[0] <= 0.02
        assert len(set(delays)) == 6

    play(stage, language, story)


def test_silence_is_death(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        await client.end()
        await client.make(server, timing={"silence": 0.15})
        connection = await connected(server, client)
        for _ in range(4):
            await asyncio.sleep(0.08)
            await connection.say({"t": "ping"})
        assert client.of("state", state="waiting") == []
        await server.welcomed()
        assert client.of("state", state="waiting")[0]["reason"] == "silent"

    play(stage, language, story)


def test_a_server_that_does_not_greet_is_left(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        await client.end()
        await client.make(server, timing={"opening": 0.1})
        await client.call("connect")
        await server.connection()
        await server.welcomed()
        assert client.of("state", state="waiting")[0]["reason"] == "unreachable"

    play(stage, language, story)


def test_after_its_end_nothing_is_heard_of_it(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channel = server.channel()
        connection = await connected(server, client)
        await client.call("close")
        await client.sees("state", state="stopped", reason="closed")
        await connection.say(channel.post("late"))
        await asyncio.sleep(0.1)
        assert client.of("message") == []
        assert len(client.of("token")) == 1

    play(stage, language, story)


def test_channels_come_and_go(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        server.channel("left", messages=4)
        connection = await connected(server, client)
        channel = server.channel("new", messages=7)
        await connection.say({"t": "channel.added", "c": "new", "seq": 7, "ch": 0, "d": {"id": "new"}})
        await connection.say(channel.post("eight"))
        await client.sees("message", channel_id="new", seq=8)
        assert (await client.sees("channel", kind="added"))["data"] == {"id": "new"}
        await connection.say({"t": "channel.removed", "c": "new"})
        await client.sees("channel", kind="removed", channel_id="new")
        await connection.cut()
        del server.channels["left"], server.channels["new"]
        server.channel("meanwhile", messages=2)
        connection = await server.welcomed()
        assert connection.since == {"left": [4, 0]}
        await client.sees("channel", kind="removed", channel_id="left")
        await client.sees("channel", kind="added", channel_id="meanwhile")
        assert [(event["channel_id"], event["seq"]) for event in client.of("message")] == [("new", 8)]

    play(stage, language, story)


def test_a_channel_whose_word_was_lost_begins_with_what_is_heard_of_it(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        connection = await connected(server, client)
        channel = server.channel("new", messages=4)
        frames = [channel.post("five"), channel.post("six")]
        await connection.say(*reversed(frames))
        await client.sees("message", seq=6)
        assert client.lists["new"] == [(5, "five"), (6, "six")]
        assert [event["kind"] for event in client.of("channel")] == ["added"]
        assert server.requests == []

    play(stage, language, story)


def test_a_channel_that_one_may_not_read_any_more_is_left(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channel = server.channel()
        connection = await connected(server, client)
        channel.post("lost")
        frame = channel.post("two")
        del server.channels["c1"]
        await connection.say(frame)
        await client.sees("channel", kind="removed", channel_id="c1")
        assert client.of("message") == []

    play(stage, language, story)


def test_what_was_asked_for_is_not_handed_on_once_the_channel_is_left(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channel = server.channel()
        connection = await connected(server, client)
        server.answers.clear()
        channel.post("lost")
        await connection.say(channel.post("two"))
        await client.until(lambda: server.requests)
        await connection.say({"t": "channel.removed", "c": "c1"})
        await client.sees("channel", kind="removed")
        server.answers.set()
        await asyncio.sleep(0.1)
        assert client.of("message") == []
        await connection.cut()
        assert (await server.connection()).since == {}

    play(stage, language, story)


def test_more_channels_than_the_first_frame_holds_are_caught_up_all_the_same(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channels = [server.channel(f"019aaf1e-5d2c-7a31-9c0e-{number:012}") for number in range(300)]
        connection = await connected(server, client)
        await connection.cut()
        for channel in channels:
            channel.post("missed")
        channels[-1].edit(1, "missed and edited")
        connection = await server.connection()
        assert 100 < len(connection.since) < 300
        await server.welcome(connection)
        await client.lists_all(*channels)
        assert len(client.of("message")) == 300
        assert client.of("refresh")[0]["channel_id"] == channels[-1].id

    play(stage, language, story)


def test_positions_that_are_kept_outlive_the_client(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channel = server.channel(messages=2)
        await client.end()
        await client.make(server, positions={"userId": "me", "epoch": 1, "channels": {"c1": [0, 0]}})
        connection = await connected(server, client)
        await connection.say(channel.post("three"), channel.edit(1, "one"))
        await client.lists_all(channel)
        await client.until(lambda: client.kept["channels"] == {"c1": [3, 1]})
        kept = client.kept
        await client.end()
        channel.post("four")
        await client.make(server, positions=kept)
        before = len(client.of("message"))
        connection = await connected(server, client)
        assert connection.since == {"c1": [3, 1]}
        await client.until(lambda: len(client.of("message")) > before)
        assert client.of("message")[-1]["seq"] == 4
        assert kept["epoch"] == 1

    play(stage, language, story)


def test_a_message_is_sent_until_it_is_answered_and_is_there_once(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channel = server.channel()
        connection = await connected(server, client)
        server.failures = [None, (503, UNAVAILABLE), (429, UNAVAILABLE)]
        await client.call("send", "c1", "hello", {"clientMessageId": "mine"})
        sent = await client.sees("sent")
        assert (sent["message"]["seq"], sent["message"]["clientMessageId"]) == (1, "mine")
        assert len(server.requests) == 4
        # The answer was handed on like a frame; the frame itself comes later.
        assert client.lists["c1"] == channel.contents
        await connection.say({"t": "message.created", "c": "c1", "seq": 1, "d": channel.messages[0]})
        await connection.say(channel.post("two"))
        await client.sees("message", seq=2)
        assert client.lists["c1"] == channel.contents

    play(stage, language, story)


def test_the_answer_to_a_message_waits_for_those_before_it(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channel = server.channel()
        connection = await connected(server, client)
        theirs = channel.post("theirs")
        await client.call("send", "c1", "mine", {})
        await client.sees("sent")
        assert client.of("message") == []
        await connection.say(theirs)
        await client.lists_all(channel)

    play(stage, language, story)


def test_messages_stand_in_the_order_in_which_they_were_sent(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channel = server.channel()
        await connected(server, client)
        server.failures = [None, (503, UNAVAILABLE), (400, UNAVAILABLE), None]
        for number in range(5):
            await client.call("send", "c1", f"message {number}", {"clientMessageId": f"id {number}"})
        await client.until(lambda: len(client.of("sent")) == 4)
        # The first was refused in the end, and is in nobody's way.
        assert client.of("refused")[0]["status"] == 400
        assert [message["content"] for message in channel.messages] == [f"message {number}" for number in range(1, 5)]

    play(stage, language, story)


def test_what_waits_to_be_sent_goes_out_when_the_server_is_back(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        await client.end()
        await client.make(server, timing={"shortest": 60, "longest": 60})
        server.channel()
        connection = await connected(server, client)
        server.failures = [None]
        await client.call("send", "c1", "hello", {})
        await client.until(lambda: server.requests)
        await connection.cut()
        await client.sees("state", state="waiting")
        await client.call("connect")
        await server.welcomed()
        await client.sees("sent")

    play(stage, language, story, seconds=20)


def test_a_message_that_is_refused_is_not_sent_again(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        server.channel()
        await connected(server, client)
        await client.call("send", "elsewhere", "hello", {})
        assert (await client.sees("refused"))["code"] == "not_found"
        assert len(server.requests) == 1

    play(stage, language, story)


def test_read_marks_are_said_again_until_they_are_confirmed(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        server.channel(messages=5)
        connection = await connected(server, client)
        await client.call("read", "c1", 4)
        await client.call("read", "c1", 3)
        said = await connection.hears("read")
        assert (said["channelId"], said["seq"]) == ("c1", 4)
        await connection.cut()
        connection = await server.welcomed()
        said = await connection.hears("read")
        assert said["seq"] == 4
        await connection.say({"t": "ok", "id": said["id"], "d": {"unreadCount": 1, "totalUnread": 1}})
        await connection.say({"t": "typing", "c": "c1"})
        await client.sees("typing")
        await connection.cut()
        connection = await server.welcomed()
        await client.until(lambda: len(client.of("state", state="ready")) == 3)
        await client.call("typing", "c1")
        await connection.hears("typing")
        assert connection.heard == []

    play(stage, language, story)


def test_typing_is_said_no_more_often_than_it_is_heard(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        await client.end()
        await client.make(server, timing={"typing": 0.2})
        connection = await connected(server, client)
        for _ in range(5):
            await client.call("typing", "c1")
        await client.call("typing", "c2")
        await asyncio.sleep(0.25)
        await client.call("typing", "c1")
        await client.call("read", "c1", 1)
        await connection.hears("read")
        assert [frame["channelId"] for frame in connection.heard] == ["c1", "c2", "c1"]

    play(stage, language, story)


def test_who_is_watched_is_said_again_after_a_reconnect(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        connection = await connected(server, client)
        await client.call("presence", [2, 3])
        said = await connection.hears("presence")
        assert said["userIds"] == [2, 3]
        await connection.say({"t": "ok", "id": said["id"], "d": {"online": [3]}})
        await client.until(lambda: len(client.of("presence")) == 2)
        assert [(event["user_id"], event["online"]) for event in client.of("presence")] == [(2, False), (3, True)]
        await connection.say({"t": "presence", "userId": 2, "online": True})
        await client.sees("presence", user_id=2, online=True)
        await connection.cut()
        connection = await server.welcomed()
        assert (await connection.hears("presence"))["userIds"] == [2, 3]

    play(stage, language, story)


def test_the_rest_is_handed_on_as_it_comes_and_what_is_new_is_ignored(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        connection = await connected(server, client)
        told = {"id": "0001", "title": "Hello", "unreadCount": 1}
        read = {"unreadCount": 0, "totalUnread": 0}
        frames: list[dict[str, Any]] = [
            {"t": "invented.later", "d": 1},
            {"t": "constructor"},
            {"t": "notification.created", "d": told},
            {"t": "notification.created", "d": told},
            {"t": "notification.readAll", "d": {"unreadCount": 0}},
            {"t": "channel.updated", "c": "c1", "d": {"name": "New name"}},
            {"t": "channel.read", "c": "c1", "userId": 1, "seq": 4, "d": read},
            {"t": "channel.read", "c": "c1", "userId": 2, "seq": 3},
            {"t": "error", "code": "unknown_frame", "message": "?"},
            {"t": "refresh"},
            {"t": "counts", "d": {"email": 0, "tasks": 0, "chat": 3, "notifications": 1}},
            {"t": "typing", "c": "c1", "userId": 2},
        ]
        await connection.say(*frames)
        await client.sees("typing", channel_id="c1", user_id=2)
        assert [event["kind"] for event in client.of("notification")] == ["created", "readAll"]
        assert client.of("channel", kind="updated", channel_id="c1", data={"name": "New name"})
        assert [(event["user_id"], event["data"]) for event in client.of("read")] == [(1, read), (2, None)]
        assert client.of("refresh")[0]["reason"] == "server"
        assert len(client.of("error")) == 1
        assert len(client.of("counts")) == 2
        await connection.cut()
        assert (await server.connection()).first["lastNotificationId"] == "0001"

    play(stage, language, story)


def test_a_listener_that_fails_takes_nothing_from_the_others(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        if isinstance(client, DrivenPython):
            client.client.on("message", lambda event: event.data["no such thing"])
        channel = server.channel()
        connection = await connected(server, client)
        await connection.say(channel.post("one"), channel.post("two"))
        await client.lists_all(channel)

    play(stage, language, story)


def test_the_python_client_can_be_cut_at_any_moment(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        if not isinstance(client, DrivenPython):
            return
        channel = server.channel()
        held: CoreRealtime = client.client
        await connected(server, client)
        channel.post("missed")
        await held.drop()
        assert held.state != "ready"
        await server.welcomed()
        await client.lists_all(channel)

    play(stage, language, story)


Step = tuple[str, int]


@settings(
    max_examples=scaled(15, 400),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(["post", "post", "edit", "tell", "tell", "twice", "cut"]), st.integers(0, 50)),
        min_size=5,
        max_size=40,
    ),
    limit=st.integers(1, 8),
)
def test_whatever_order_doubling_loss_and_cuts_there_are_the_list_is_the_same(
    stage: Stage, language: str, steps: list[Step], limit: int
) -> None:
    """Posts and edits happen in the truth at once. Their frames are told later, in any order, twice or never."""

    async def story(server: Server, client: Driven) -> None:
        server.limit = limit
        channels = [server.channel("a"), server.channel("b")]
        connection = await connected(server, client)
        untold: list[dict[str, Any]] = []
        for what, number in steps:
            channel = channels[number % 2]
            if what == "post":
                untold.append(channel.post(f"message {number}"))
            elif what == "edit" and channel.messages:
                untold.append(channel.edit(number % len(channel.messages) + 1, f"edited {number}"))
            elif what in ("tell", "twice") and untold:
                frame = untold[number % len(untold)]
                if what == "tell":
                    untold.remove(frame)
                await connection.say(frame)
            elif what == "cut":
                # What nobody was told by now is never told; what was sent last may be lost on its way.
                untold.clear()
                await connection.cut()
                connection = await server.welcomed()
        await connection.cut()
        connection = await server.welcomed()
        await client.until(lambda: all(_numbers(client, one.id) == _truth(one) for one in channels))
        for one in channels:
            # Too many changes at once are not told one by one; the application was told to load them.
            if not client.of("refresh", channel_id=one.id):
                await client.lists_all(one)
        await asyncio.sleep(0.01)
        assert all(_numbers(client, one.id) == _truth(one) for one in channels)

    play(stage, language, story)


def _numbers(client: Driven, channel: str) -> list[int]:
    return [seq for seq, _ in client.lists.get(channel, [])]


def _truth(channel: Any) -> list[int]:
    return list(range(1, channel.last_seq + 1))


def test_many_cuts_in_a_busy_channel_lose_and_double_nothing(stage: Stage, language: str) -> None:
    async def story(server: Server, client: Driven) -> None:
        channel, chance = server.channel(), random.Random(7)
        connection = await connected(server, client)
        for _ in range(scaled(30, 1000)):
            frames = [channel.post("m") for _ in range(chance.randrange(1, 12))]
            await connection.say(*chance.sample(frames, chance.randrange(len(frames) + 1)))
            if chance.random() < 0.5:
                await asyncio.sleep(chance.random() * 0.01)
            await connection.cut()
            connection = await server.welcomed()
        await client.lists_all(channel)

    play(stage, language, story, seconds=scaled(30, 110))
