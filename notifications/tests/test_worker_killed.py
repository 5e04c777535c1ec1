"""Dispatchers that are killed with -9, and a broker that restarts, while mails go out: all arrive.

A kill between the mail server's yes and our note of it sends that mail again, under the same Message-ID. No more
than that: each kill costs one such mail at most. ``make soak`` does it a hundred times.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from notifications.services.delivering import DELIVER
from notifications.tests.wire import (
    arrived_ids,
    environment_of,
    expected_ids,
    figures,
    outbox_clear,
    own_valkey,
    people_make,
    raise_for,
    statuses,
)
from platform_site.celery import app
from platform_site.local.standalone import Standalone
from platform_site.outbox.models import OutboxRow
from tests.smtp_server import Mail, SmtpServer, smtp_server
from tests.support import Api, database_environment, scaled

pytestmark = [pytest.mark.commits, pytest.mark.timeout(scaled(120, 5400))]

KILLS = scaled(2, 100)
MAILS = 100 * KILLS
RESTARTS = scaled(1, 20)
DISPATCHER = ["manage.py", "run_dispatcher", "--interval", "0.05"]
WORKER = [
    "-m", "celery", "-A", "platform_site", "worker", "--beat", "--pool=threads", "--concurrency=2",
    "--without-gossip", "--without-mingle", "--loglevel=warning",
]  # fmt: skip


@pytest.fixture
def server(committed: str) -> Iterator[SmtpServer]:
    outbox_clear()
    with smtp_server() as own:
        yield own


@contextmanager
def process(arguments: list[str], **environment: str) -> Iterator["subprocess.Popen[bytes]"]:
    """One of ours, on the test's database; it is killed at the end when it still runs."""
    running = subprocess.Popen(
        [sys.executable, *arguments],
        env={**database_environment(os.environ["TEST_DATABASE_NAME"]), **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield running
    finally:
        # A worker's scheduler is a process of its own, which outlives a worker that is killed.
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait(20)


def becomes(true: Callable[[], bool], seconds: float = 60, *, pause: float = 0.05) -> bool:
    give_up = time.monotonic() + seconds
    while not true() and time.monotonic() < give_up:
        time.sleep(pause)
    return true()


def waiting() -> int:
    return OutboxRow.objects.filter(reaction=DELIVER).count()


def lease_is_over() -> int:
    """Two minutes later. Gives how many rows the dead process had claimed and not finished."""
    rows = OutboxRow.objects.exclude(claim=None).filter(available_at__gt=timezone.now())
    return rows.update(available_at=timezone.now())


def lost(server: SmtpServer, sender: Api) -> int:
    return len(expected_ids(sender.tenant) - arrived_ids(server).keys())


def test_a_dispatcher_that_is_killed_again_and_again_loses_nothing(server: SmtpServer, alice: Api) -> None:
    raise_for(alice, people_make(alice.tenant, MAILS))
    began = time.monotonic()
    kills = 0
    for number in range(1, KILLS + 1):
        with process(DISPATCHER, **environment_of(server)) as running:
            # Somewhere in the middle, and at any moment of what it does about one mail.
            target = number * MAILS // (KILLS + 1)
            soon = becomes(lambda: len(server.mails) >= target, pause=0.002)  # noqa: B023
            assert soon, f"{len(server.mails)} of {MAILS} have arrived"
            time.sleep(random.uniform(0, 0.02))
            assert waiting(), "it was done before it could be killed"
            os.kill(running.pid, signal.SIGKILL)
            assert running.wait(20) == -signal.SIGKILL
            kills += 1
        lease_is_over()
    with process(DISPATCHER, **environment_of(server)):
        assert becomes(lambda: not waiting(), scaled(60, 600))
    arrived = arrived_ids(server)
    twice = sum(count - 1 for count in arrived.values())
    figures(kills=kills, mails=MAILS, lost=lost(server, alice), duplicates=twice, seconds=time.monotonic() - began)
    assert arrived.keys() == expected_ids(alice.tenant)
    assert statuses(alice.tenant) == {"sent": MAILS}
    # One for each kill at most, which is one in a hundred mails here.
    assert twice <= kills == MAILS // 100
    assert not [mail for mail in server.mails if len(mail.recipients) != 1]
    assert len({(mail.id, mail.recipients[0]) for mail in server.mails}) == MAILS


def test_killed_between_the_yes_and_the_note_the_same_mail_comes_again(server: SmtpServer, alice: Api) -> None:
    raise_for(alice, people_make(alice.tenant, 3))
    with process(DISPATCHER, **environment_of(server)) as running:

        def kill(mail: Mail) -> None:
            if len(server.mails) == 2:
                os.kill(running.pid, signal.SIGKILL)

        server.on_mail = kill
        assert running.wait(60) == -signal.SIGKILL
    assert statuses(alice.tenant) == {"sent": 1, "pending": 2}
    assert lease_is_over() == 2
    with process(DISPATCHER, **environment_of(server)):
        assert becomes(lambda: not waiting())
    arrived = arrived_ids(server)
    assert arrived.keys() == expected_ids(alice.tenant)
    assert sorted(arrived.values()) == [1, 1, 2]
    first, again = server.to(server.mails[1].recipients[0])
    assert (first.id, first.message["Subject"]) == (again.id, again.message["Subject"])


@pytest.fixture
def broker(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Standalone]:
    with own_valkey(tmp_path, settings, monkeypatch) as own:
        yield own


def test_a_valkey_that_restarts_while_mails_go_out_loses_nothing(
    server: SmtpServer, broker: Standalone, alice: Api, tmp_path: Path
) -> None:
    people = people_make(alice.tenant, 20)
    prefix = app.conf.broker_transport_options["global_keyprefix"].removesuffix(":celery:")
    environment = {**environment_of(server), "REDIS_PREFIX": prefix}
    began, told = time.monotonic(), 0

    def traffic(times: int) -> None:
        nonlocal told
        for _ in range(times):
            raise_for(alice, people)
            told += len(people)

    with process([*WORKER, f"--schedule={tmp_path / 'schedule'}"], **environment) as worker:
        traffic(1)
        assert becomes(lambda: not waiting())
        for _ in range(RESTARTS):
            traffic(2)
            broker.kill()
            traffic(2)
            broker.start()
            traffic(2)
        assert becomes(lambda: not waiting(), scaled(60, 900)), f"{waiting()} wait"
        # And afterwards the worker listens again.
        traffic(1)
        assert becomes(lambda: not waiting(), 60)
        assert worker.poll() is None
    arrived = arrived_ids(server)
    figures(
        restarts=RESTARTS,
        mails=told,
        lost=lost(server, alice),
        duplicates=sum(arrived.values()) - len(arrived),
        seconds=time.monotonic() - began,
    )
    assert arrived == dict.fromkeys(expected_ids(alice.tenant), 1)
    assert statuses(alice.tenant) == {"sent": told}
