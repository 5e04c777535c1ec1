"""The mail server and Valkey are away: requests go on as they did, and mails go out when they are back."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import Min
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from notifications.services.delivering import DELIVER
from notifications.tests.support import LEAD, raise_lead, told
from notifications.tests.wire import (
    arrived_ids,
    expected_ids,
    figures,
    outbox_clear,
    own_valkey,
    people_make,
    raise_for,
    run_everything,
    send_to,
    statuses,
)
from platform_site.local.standalone import Standalone
from platform_site.outbox import dispatcher, nudge
from platform_site.outbox.models import OutboxRow
from tests.smtp_server import SmtpServer, smtp_server
from tests.support import Api, scaled

pytestmark = [pytest.mark.commits, pytest.mark.timeout(scaled(120, 3600))]

MAILS = scaled(20, 10_000)
NO_QUERIES = ("SET", "BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")
# As often as a sweep might look; the real one does every two seconds.
SWEEP = timedelta(seconds=15)


@pytest.fixture
def server(committed: str, settings: Any) -> Iterator[SmtpServer]:
    outbox_clear()
    with smtp_server() as own:
        send_to(own, settings)
        yield own


@pytest.fixture
def cache(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Standalone]:
    with own_valkey(tmp_path, settings, monkeypatch) as own:
        yield own


@pytest.fixture
def _few_words() -> Iterator[None]:
    """Ten thousand failures, each with its traceback, are more than a test wants to keep."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def requests(alice: Api, bob: Api) -> dict[str, Callable[[], Any]]:
    """What people and modules do all day; each may be done again and again."""
    raise_lead(alice, bob)
    unread = iter([one["id"] for one in told(bob, "?unread=true")])
    wish = {"eventKey": LEAD, "channel": "email", "enabled": True}
    return {
        "send": lambda: raise_lead(alice, bob),
        "read": lambda: bob.post(f"/notifications/{next(unread)}/read"),
        "list": lambda: bob.get("/notifications"),
        "choose": lambda: bob.call("PUT", "/notifications/preferences", wish),
    }


def cost(call: Callable[[], Any]) -> tuple[int, float]:
    """(queries, seconds) of a request that has to go well.

    Words about transactions and schemas are no queries, and the look at the
    epoch is one that a process makes once a second, whoever asks.
    """
    began = time.perf_counter()
    with CaptureQueriesContext(connection) as captured:
        answer = call()
    assert answer.status_code in (200, 202), answer.content
    seconds = time.perf_counter() - began
    asked = [query["sql"] for query in captured.captured_queries if not query["sql"].startswith(NO_QUERIES)]
    return len([one for one in asked if "tenancy_cacheepoch" not in one]), seconds


def _asking_again(monkeypatch: pytest.MonkeyPatch, call: Callable[[], Any]) -> Callable[[], Any]:
    """The broker is left alone for a second after it was away; this is the first request after that."""

    def after_a_second() -> Any:
        monkeypatch.setattr(nudge, "_away_until", 0.0)
        return call()

    return after_a_second


def test_requests_cost_two_queries_more_and_take_no_second(
    server: SmtpServer, cache: Standalone, alice: Api, bob: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    for call in requests(alice, bob).values():
        call()
    usual = {name: cost(call) for name, call in requests(alice, bob).items()}
    later = requests(alice, bob)
    server.stop()
    cache.kill()
    # The first that notices tells all processes to forget what they keep; it is one of a kind.
    bob.get("/notifications")
    raise_lead(alice, alice)
    away = {name: cost(_asking_again(monkeypatch, call)) for name, call in later.items()}
    # The tenant and the session, which Valkey keeps otherwise.
    assert {name: away[name][0] - usual[name][0] for name in usual} == dict.fromkeys(usual, 2)
    assert max(seconds for _, seconds in away.values()) < 1, away
    # What was told meanwhile is mailed when there is a mail server, and Valkey is not needed for that.
    server.start()
    dispatcher.drain()
    assert statuses(alice.tenant)["pending"] == 0
    assert len(server.mails) == statuses(alice.tenant)["sent"] >= 1


@pytest.mark.usefixtures("_few_words")
def test_a_mail_server_that_is_away_for_an_hour_gets_every_mail_once(server: SmtpServer, alice: Api) -> None:
    raise_for(alice, people_make(alice.tenant, MAILS))
    server.stop()
    began, start = time.monotonic(), timezone.now()
    now = start
    while now < start + timedelta(hours=1):
        run_everything(now)
        now += SWEEP
    attempts = Counter(OutboxRow.objects.filter(reaction=DELIVER).values_list("attempts", flat=True))
    # 15 s, 30 s, 60 s … each with a quarter of jitter: the eighth comes after about half an hour, the ninth after
    # an hour and the tenth, which would be the last, an hour later.
    assert (attempts.keys() | {8, 9}, sum(attempts.values())) == ({8, 9}, MAILS)
    server.start()
    last = now
    while (due := next_due()) is not None:
        last = max(due, last + SWEEP)
        run_everything(last)
    figures(
        mails=MAILS,
        attempts=sum(number * count for number, count in attempts.items()) + MAILS,
        lost=len(expected_ids(alice.tenant) - arrived_ids(server).keys()),
        duplicates=len(server.mails) - len(arrived_ids(server)),
        last_after_minutes=(last - start).total_seconds() / 60,
        seconds=time.monotonic() - began,
    )
    assert arrived_ids(server) == dict.fromkeys(expected_ids(alice.tenant), 1)
    assert statuses(alice.tenant) == {"sent": MAILS}
    assert not OutboxRow.objects.filter(reaction=DELIVER).exists()


def next_due() -> datetime | None:
    due: datetime | None = OutboxRow.objects.filter(reaction=DELIVER, state="pending").aggregate(
        first=Min("available_at")
    )["first"]
    return due
