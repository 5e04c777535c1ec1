"""How examinations are run: in time, in order, each once; and what is said holds no secret."""

import json
import threading
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from platform_site.doctor.catalog import Examination, Finding, State, fine, problem
from platform_site.doctor.everything import everything
from platform_site.doctor.examining import Round
from platform_site.doctor.redacting import without_secrets

pytestmark = pytest.mark.django_db


def looked(*catalogue: Examination, only: tuple[str, ...] = (), online: bool = False) -> dict[str, Finding]:
    return {report.key: report.finding for report in Round(catalogue, online=online).reports(only)}


def test_one_that_hangs_is_a_problem_and_the_others_are_looked_at() -> None:
    for_ever = threading.Event()

    def hangs() -> Finding:
        for_ever.wait(30)
        return fine("at last")

    found = looked(Examination("keys.hangs", hangs, timeout=0.1), Examination("keys.next", lambda: fine("here")))
    for_ever.set()
    assert found["keys.hangs"] == problem("No answer within 0.1 seconds.", "Find out what it waits for.")
    assert found["keys.next"] == fine("here")


def test_one_that_raises_is_a_problem() -> None:
    def breaks() -> Finding:
        raise ConnectionError("refused\nby somebody")

    found = looked(Examination("keys.breaks", breaks))["keys.breaks"]
    assert (found.state, found.found) == (State.PROBLEM, "ConnectionError: refused by somebody")


def test_what_needs_something_that_is_wrong_is_skipped_also_by_two_steps() -> None:
    called = []

    def looks() -> Finding:
        called.append(1)
        return fine("there")

    found = looked(
        Examination("files.third", looks, ("keys.second",)),
        Examination("keys.second", looks, ("keys.first",)),
        Examination("keys.first", lambda: problem("wrong", "mend it")),
    )
    assert [finding.state for finding in found.values()] == [State.SKIPPED, State.PROBLEM, State.SKIPPED]
    assert found["files.third"].found == "It needs keys.second."
    assert called == []


def test_each_is_looked_at_once_and_what_is_needed_is_not_shown_unasked() -> None:
    called = []

    def first() -> Finding:
        called.append(1)
        return fine("there")

    catalogue = [
        Examination("keys.first", first),
        Examination("keys.second", lambda: fine("too"), ("keys.first",)),
        Examination("mail.third", lambda: fine("too"), ("keys.first",)),
    ]
    assert list(looked(*catalogue, only=("keys.second", "mail"))) == ["keys.second", "mail.third"]
    assert called == [1]


def test_the_world_outside_is_asked_only_when_somebody_wants_it() -> None:
    asks = Examination("mail.asks", lambda: fine("asked"), online=True)
    assert looked(asks)["mail.asks"].state is State.SKIPPED
    assert looked(asks, online=True)["mail.asks"] == fine("asked")


def test_no_secret_is_said(settings: Any) -> None:
    settings.REDIS_URL = "redis://:valkey%20pass@valkey.acme.com:6379/0"
    settings.STRIPE_SECRET_KEY, settings.EMAIL_HOST_PASSWORD = "sk_test_1234567", "mail pass"
    settings.DATABASE_OWNER = {"USER": "owner", "PASSWORD": "owner's pass"}
    secrets = [
        settings.SECRET_KEY,
        *(key for ring in (settings.JWT_KEYS, settings.TOKEN_KEYS, settings.ENCRYPTION_KEYS) for _, key in ring),
        "valkey%20pass",
        "valkey pass",
        "sk_test_1234567",
        "mail pass",
        "owner's pass",
    ]
    said = " and ".join([*secrets, settings.REDIS_URL, "postgresql://who:unknown@host/db"])

    def breaks() -> Finding:
        raise ConnectionError(said)

    told = looked(Examination("keys.breaks", breaks))["keys.breaks"].found
    assert not any(secret in told for secret in [*secrets, "unknown"])
    assert without_secrets("redis://:word@valkey.acme.com:6379/0") == "redis://valkey.acme.com:6379/0"


def test_every_need_is_an_examination_and_no_two_need_each_other() -> None:
    names = [examination.key for examination in everything]
    for examination in everything:
        assert examination.group
        assert set(examination.needs) <= set(names) - {examination.key}
    # Who is needed can be looked at first, all the way down.
    done: set[str] = set()
    while left := [one for one in everything if one.key not in done]:
        ready = {one.key for one in left if set(one.needs) <= done}
        assert ready
        done |= ready


def test_an_unknown_name_is_wrong_usage_and_all_are_listed() -> None:
    with pytest.raises(CommandError) as refused:
        call_command("doctor", "--only", "keys.nothing")
    assert refused.value.returncode == 2
    out = StringIO()
    call_command("doctor", "--list", "--json", stdout=out)
    assert "billing.webhook" in json.loads(out.getvalue())["names"]


def test_for_people_there_is_a_line_for_each_and_one_for_what_to_do(settings: Any) -> None:
    out = StringIO()
    settings.SECRET_KEY = "s" * 60
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", "--only", "keys.strength", "keys.equal", stdout=out)
    assert ended.value.code == 2
    lines = [" ".join(line.split()) for line in out.getvalue().splitlines()]
    assert lines[0] == "PROBLEM keys.strength SECRET_KEY can be guessed."
    assert lines[1].startswith("-> Make one:")
    assert lines[2] == "ok keys.equal No two are the same."
    assert lines[-1] == "1 problems"
