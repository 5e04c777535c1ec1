"""``/chat/channels/:id/messages/:messageId/reactions/:emoji``."""

from typing import Any

import pytest

from chat.models import Reaction
from chat.tests.message_support import change, group_of, page, people, react, sent
from chat.tests.support import error
from platform_site.binding import bind
from tests.support import Api, at_once

FACES = "😀😁😂😃😄😅😆😇😈😉😊😋😌😍😎😏😐😑😒😓😔"


@pytest.fixture
def group(alice: Api, bob: Api) -> str:
    return group_of(alice, bob)


def shown(person: Api, group: str) -> list[tuple[str, int, list[int]]]:
    reactions = page(person, group, "?limit=1")["data"][0]["reactions"]
    return [(one["emoji"], one["count"], one["userIds"]) for one in reactions]


def test_emojis_are_counted_with_whose_they_are_the_oldest_first(alice: Api, bob: Api, group: str) -> None:
    message = sent(alice, group)
    react(bob, message, "🎉")
    react(bob, message, "👍")
    answer = react(alice, message, "👍")
    assert answer.json()["data"]["changeSeq"] == 3
    expected = [("🎉", 1, [bob.user.id]), ("👍", 2, [bob.user.id, alice.user.id])]
    assert shown(bob, group) == expected
    react(bob, message, "👍", "DELETE")
    react(bob, message, "🎉", "DELETE")
    assert shown(bob, group) == [("👍", 1, [alice.user.id])]


def test_again_is_fine_and_no_change(alice: Api, bob: Api, group: str) -> None:
    message = sent(alice, group)
    first, again = react(bob, message, "👍"), react(bob, message, "👍")
    assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())
    gone, nothing = react(bob, message, "👍", "DELETE"), react(bob, message, "👍", "DELETE")
    assert (gone.status_code, nothing.status_code, nothing.json()) == (200, 200, gone.json())
    assert page(bob, group)["meta"]["changeSeq"] == 2
    # That of somebody else stays.
    react(alice, message, "👍")
    react(bob, message, "👍", "DELETE")
    assert shown(bob, group) == [("👍", 1, [alice.user.id])]


@pytest.mark.parametrize("emoji", ["👩‍👩‍👧‍👦", "👍🏽", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣", "#️⃣", "🇩🇪", "👨🏿‍❤️‍💋‍👨🏻"])
def test_whatever_is_one_emoji_is_one(alice: Api, group: str, emoji: str) -> None:
    assert react(alice, sent(alice, group), emoji).status_code == 200
    assert [one for one, _, _ in shown(alice, group)] == [emoji]


def test_two_ways_of_writing_one_emoji_are_one(alice: Api, bob: Api, group: str) -> None:
    message = sent(alice, group)
    react(alice, message, "❤")
    react(bob, message, "❤️")
    assert shown(bob, group) == [("❤️", 2, [alice.user.id, bob.user.id])]
    react(alice, message, "❤️", "DELETE")
    assert shown(bob, group) == [("❤️", 1, [bob.user.id])]


@pytest.mark.parametrize("text", ["x", "👍👍", "👍x", ":thumbs_up:", "%20", "<script>", "1", "❤" * 40])
def test_what_is_no_emoji_is_refused(alice: Api, group: str, text: str) -> None:
    message = sent(alice, group)
    for method in ("PUT", "DELETE"):
        answer = react(alice, message, text, method)
        assert error(answer) == (400, "validation_failed")
        assert answer.json()["error"]["details"][0]["field"] == "emoji"
    assert shown(alice, group) == []


@pytest.mark.parametrize("path", ["", "%F0%9F%91", "%00", "a/b"])
def test_what_is_no_path_finds_nothing(alice: Api, group: str, path: str) -> None:
    message = sent(alice, group)
    assert change(alice, "PUT", message, path=f"/reactions/{path}").status_code in (400, 404)


def test_a_message_takes_twenty_different_ones(alice: Api, bob: Api, group: str, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "chat_send_user": (1000, 10)}
    message = sent(alice, group)
    for emoji in FACES[:20]:
        assert react(alice, message, emoji).status_code == 200
    assert error(react(bob, message, FACES[20])) == (422, "too_many_reactions")
    # One that is there already can be joined, and one that was given back makes room.
    assert react(bob, message, FACES[0]).status_code == 200
    assert react(alice, message, FACES[1], "DELETE").status_code == 200
    assert react(bob, message, FACES[20]).status_code == 200


@pytest.mark.commits
def test_many_at_once_neither_lose_one_nor_go_beyond_the_limit(
    alice: Api, bob: Api, tenant: Any, settings: Any
) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "chat_send_user": (1000, 10)}
    others = people(tenant, 2)
    everybody = [alice, bob, *others]
    message = sent(alice, group_of(alice, bob, *others))
    for emoji in FACES[:18]:
        react(alice, message, emoji)

    def work(number: int) -> int:
        person = everybody[number % 4]
        return int(react(Api(person.token), message, "👍" if number < 4 else FACES[14 + number]).status_code)

    done = at_once(7, work)
    assert done.most_at_once == 7
    # The thumb and one more of three faces.
    assert sorted(done.results)[-2:] == [422, 422]
    with bind(tenant.ref):
        rows = Reaction.objects.filter(message_id=message["id"])
        assert rows.values("emoji").distinct().count() == 20
        thumbs = rows.filter(emoji="👍").count()
    assert thumbs == done.results[:4].count(200)
