"""``GET /chat/search``."""

from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection

from chat import statements
from chat.models import Channel, Member
from chat.tests.message_support import (
    delete,
    direct_of,
    edit,
    group_of,
    people,
    queries_of_chat,
    said_before,
    sent,
    seqs,
)
from chat.tests.support import UNKNOWN, error
from platform_site.binding import bind
from tests.support import Api


def find(person: Api, words: str, **more: Any) -> Any:
    asked = "".join(f"&{name}={value}" for name, value in more.items())
    return person.get(f"/chat/search?q={quote(words)}{asked}")


def found(person: Api, words: str, **more: Any) -> list[dict[str, Any]]:
    answer = find(person, words, **more)
    assert answer.status_code == 200, answer.content
    return list(answer.json()["data"])


@pytest.fixture
def group(alice: Api, bob: Api) -> str:
    return group_of(alice, bob)


def test_messages_are_found_by_their_words_with_where_they_are(alice: Api, bob: Api, group: str) -> None:
    direct = direct_of(alice, bob)
    first = sent(alice, group, "The quarterly Report is here")
    sent(alice, group, "Nothing of the kind")
    second = sent(alice, direct, "report?")
    in_group = {"id": group, "type": "group", "name": "Project Alpha"}
    assert found(bob, "report") == [
        {**second, "channel": {"id": direct, "type": "direct", "name": "Alice"}},
        {**first, "channel": in_group},
    ]
    # Each sees the other one's name.
    assert [one["channel"]["name"] for one in found(alice, "report")] == ["Bob", "Project Alpha"]
    assert [one["channel"] for one in found(bob, "report", channelId=group)] == [in_group]


@pytest.mark.parametrize(
    ("words", "hits"),
    [
        ("red fox", [2, 1]),
        ('"red fox"', [1]),
        ("fox -red", [3]),
        ("wolf or fox -red", [4, 3]),
        ("FOX", [3, 2, 1]),
        ("fo", []),
        ("größe", [5]),
        ("日本語", [6]),
        ("'); DROP TABLE chat_message; --", []),
        ("& | ! ( ) :* <->", []),
        ('"', []),
        ("\\", []),
        ("%%", []),
    ],
)
def test_the_language_is_that_of_search_engines(alice: Api, group: str, words: str, hits: list[int]) -> None:
    for text in ("a red fox", "a fox that is red", "a blue fox", "a wolf", "Die Größe", "日本語"):
        sent(alice, group, text)
    assert seqs(found(alice, words.ljust(2))) == hits if len(words) > 1 else find(alice, words).status_code == 400


def test_only_what_one_may_read_is_found(alice: Api, bob: Api, mallory: Api, tenant: Any, group: str) -> None:
    (outsider,) = people(tenant, 1)
    for number in range(3):
        sent(alice, group, f"secret {number}")
    assert found(outsider, "secret") == found(mallory, "secret") == []
    for person in (outsider, mallory):
        assert error(find(person, "secret", channelId=group)) == (404, "not_found")
    assert error(find(bob, "secret", channelId=UNKNOWN)) == (404, "not_found")
    with bind(tenant.ref):
        Member.objects.filter(user=bob.user, channel_id=group).update(hidden_seq=2)
    assert seqs(found(bob, "secret")) == [3]
    with bind(tenant.ref):
        Channel.objects.filter(id=group).update(purged_seq=1)
    assert seqs(found(alice, "secret")) == [3, 2]
    bob.post(f"/chat/channels/{group}/leave")
    assert found(bob, "secret") == []


def test_what_was_said_before_it_was_changed_or_deleted_is_not_found(alice: Api, group: str) -> None:
    changed, gone = sent(alice, group, "password hunter2"), sent(alice, group, "password hunter3")
    edit(alice, changed, "nothing here")
    delete(alice, gone)
    assert found(alice, "password") == found(alice, "hunter2") == []
    assert seqs(found(alice, "nothing")) == [1]


def test_pages_go_on_where_they_ended(alice: Api, bob: Api, mallory: Api, group: str) -> None:
    for number in range(5):
        sent(alice, group, f"word {number}")
    seen: list[int] = []
    cursor: Any = ""
    for _ in range(3):
        answer = find(bob, "word", limit=2, **({"cursor": cursor} if cursor else {})).json()
        assert answer["meta"]["limit"] == 2
        assert answer["meta"]["prevCursor"] is None
        seen += seqs(answer["data"])
        sent(alice, group, "word again")
        cursor = answer["meta"]["nextCursor"]
    assert seen == [5, 4, 3, 2, 1]
    assert cursor is None
    foreign = find(bob, "word", limit=1).json()["meta"]["nextCursor"]
    for wrong in (foreign[:-1], "x", f"{foreign}x"):
        assert error(find(bob, "word", cursor=wrong)) == (400, "invalid_cursor")
    assert error(find(mallory, "word", cursor=foreign)) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("", "q"),
        ("q=", "q"),
        ("q=x", "q"),
        ("q=%20x%20", "q"),
        (f"q={'x' * 201}", "q"),
        ("q=a%00b", "q"),
        ("q=ab&q=cd", "q"),
        ("q=ab&channelId=5", "channelId"),
        ("q=ab&limit=101", "limit"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(bob: Api, query: str, name: str) -> None:
    answer = bob.get(f"/chat/search?{query}")
    assert error(answer) == (400, "validation_failed")
    assert [detail["field"] for detail in answer.json()["error"]["details"]] == [name]


def test_it_costs_the_same_for_one_and_for_a_hundred(alice: Api, bob: Api) -> None:
    few, much = group_of(alice, bob), group_of(alice, bob)
    sent(alice, few, "seldom")
    said_before(alice, much, 100)
    with bind(bob.tenant.ref), connection.cursor() as cursor:
        cursor.execute("UPDATE chat_message SET content = 'often' WHERE channel_id = %s", [much])
    assert queries_of_chat(lambda: found(bob, "seldom")) == queries_of_chat(lambda: found(bob, "often")) == 1
    assert len(found(bob, "often", limit=100)) == 100


@pytest.mark.as_owner
def test_the_index_answers_it(alice: Api, bob: Api, group: str) -> None:
    said_before(alice, group, 3000)
    asked = {"user_id": bob.user.id, "query": "m7", "channel_id": None, "before": None, "limit": 21}
    with bind(bob.tenant.ref), connection.cursor() as cursor:
        cursor.execute("ANALYZE chat_message")
        cursor.execute(f"EXPLAIN {statements.SEARCH}", asked)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "message_search" in plan
