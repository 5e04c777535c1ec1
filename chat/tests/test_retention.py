"""How long messages are kept, with the clock moved on."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from chat.models import Channel, Mention, Message, Reaction
from chat.services import retention
from chat.services.retention import RETAIN
from chat.tests.message_support import edit, group_of, page, react, said_before, sent, seqs
from chat.tests.support import channel
from platform_site.binding import bind
from platform_site.outbox import dispatcher
from platform_site.outbox.models import OutboxRow
from tests.support import Api


@pytest.fixture(autouse=True)
def _nothing_waits(database: None) -> None:
    OutboxRow.objects.all().delete()


@pytest.fixture
def group(alice: Api, bob: Api) -> str:
    return group_of(alice, bob)


def keep(admin: Api, days: int | None) -> None:
    answer = admin.call("PUT", "/org-settings/chat.retention_days", {"value": days})
    assert answer.status_code == 200, answer.content


def run(days_on: float = 0) -> None:
    while dispatcher.run_once(now=timezone.now() + timedelta(days=days_on)):
        pass


def age(person: Api, group: str, seqs: list[int], days: float) -> None:
    with bind(person.tenant.ref):
        then = timezone.now() - timedelta(days=days)
        Message.objects.filter(channel_id=group, seq__in=seqs).update(created_at=then)


def due() -> list[datetime]:
    return list(OutboxRow.objects.filter(reaction=RETAIN).values_list("available_at", flat=True))


def test_messages_are_kept_for_ever_unless_somebody_says_otherwise(alice: Api, bob: Api, group: str) -> None:
    sent(alice, group)
    age(alice, group, [1], 4000)
    run(5000)
    assert due() == []
    assert seqs(page(bob, group)["data"]) == [1]


def test_what_is_older_goes_at_once_and_then_day_by_day(alice: Api, bob: Api, group: str) -> None:
    said_before(alice, group, 4)
    age(alice, group, [1], 40)
    age(alice, group, [2], 20)
    keep(alice, 30)
    run()
    assert seqs(page(bob, group)["data"]) == [4, 3, 2]
    run(9)
    assert seqs(page(bob, group)["data"]) == [4, 3, 2]
    run(11)
    assert seqs(page(bob, group)["data"]) == [4, 3]
    run(31)
    assert page(bob, group)["data"] == []
    # Numbers go on where they were.
    assert page(bob, group)["meta"]["lastSeq"] == 4
    assert sent(alice, group)["seq"] == 5
    (tomorrow,) = due()
    assert tomorrow > timezone.now() + timedelta(days=31)


@pytest.mark.parametrize("text", ["<@all>", "<@{bob}>"])
def test_everything_about_a_message_goes_with_it(alice: Api, bob: Api, group: str, text: str) -> None:
    old = sent(alice, group, text.format(bob=bob.user.id))
    react(bob, old, "👍")
    sent(alice, group)
    young = sent(alice, group, f"<@{bob.user.id}>")
    react(bob, young, "👍")
    age(alice, group, [1, 2], 40)
    keep(alice, 30)
    run()
    with bind(alice.tenant.ref):
        assert list(Mention.objects.values_list("seq", flat=True)) == [3]
        assert list(Reaction.objects.values_list("message__seq", flat=True)) == [3]
        assert Channel.objects.get(id=group).purged_seq == 2
    assert (channel(bob, group)["unreadCount"], channel(bob, group)["mentionCount"]) == (1, 1)
    assert edit(alice, old, "Back").status_code == 404


def test_only_a_beginning_goes_whatever_the_clocks_said(alice: Api, bob: Api, group: str) -> None:
    said_before(alice, group, 4)
    age(alice, group, [1, 3], 40)
    keep(alice, 30)
    run()
    assert seqs(page(bob, group)["data"]) == [4, 3, 2]


def test_it_goes_in_parts_and_through_all_channels(
    alice: Api, bob: Api, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "BATCH", 3)
    other, empty = group_of(alice, bob), group_of(alice, bob)
    for one, count in ((group, 7), (other, 6)):
        said_before(alice, one, count + 1)
        age(alice, one, list(range(1, count + 1)), 40)
    keep(alice, 30)
    run()
    assert [seqs(page(bob, one)["data"]) for one in (group, other, empty)] == [[8], [7], []]


def test_a_shorter_time_counts_at_once_and_for_ever_ends_it(alice: Api, bob: Api, group: str) -> None:
    said_before(alice, group, 2)
    age(alice, group, [1], 20)
    keep(alice, 30)
    run()
    assert len(page(bob, group)["data"]) == 2
    keep(alice, 10)
    run()
    assert seqs(page(bob, group)["data"]) == [2]
    keep(alice, None)
    run(100)
    assert seqs(page(bob, group)["data"]) == [2]
    assert due() == []


def test_where_nothing_is_old_a_look_takes_no_locks(alice: Api, bob: Api, group: str) -> None:
    said_before(alice, group, 2)
    keep(alice, 30)
    with bind(alice.tenant.ref), CaptureQueriesContext(connection) as captured:
        assert retention.retain(UUID(int=3)) is not None
    # The setting, and one look at all channels.
    texts = [one["sql"] for one in captured if not one["sql"].startswith("SET")]
    assert len(texts) == 2
    assert not any("FOR " in text or "UPDATE" in text for text in texts)


@pytest.mark.parametrize("value", [-1, 3651, "30", 1.5])
def test_days_are_whole_and_no_more_than_ten_years(alice: Api, value: Any) -> None:
    answer = alice.call("PUT", "/org-settings/chat.retention_days", {"value": value})
    assert answer.status_code == 400


def test_another_setting_starts_nothing(alice: Api) -> None:
    alice.call("PUT", "/org-settings/chat.edit_minutes", {"value": 5})
    run()
    assert due() == []
