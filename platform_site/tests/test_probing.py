"""Asking somebody else's code without harm."""

import time
from typing import Any

import pytest
from django.db import InternalError, OperationalError, connection, transaction

from accounts.models import User
from platform_site.probing import TookTooLong, ask


def settings_now() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('statement_timeout'), current_setting('transaction_read_only')")
        timeout, read_only = cursor.fetchone()
        return timeout, read_only


def rename() -> int:
    return User.objects.update(first_name="Changed")


def sleep(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])


def test_the_question_is_asked_within_its_time_and_read_only(in_tenant: Any) -> None:
    assert ask(settings_now, milliseconds=700) == ("700ms", "on")
    assert settings_now() == ("8s", "off")


@pytest.mark.commits
def test_also_outside_of_any_transaction(in_tenant: Any) -> None:
    assert ask(settings_now, milliseconds=700) == ("700ms", "on")
    assert settings_now() == ("8s", "off")
    assert not connection.in_atomic_block


def test_it_cannot_write_and_the_caller_still_can(in_tenant: Any) -> None:
    with transaction.atomic():
        with pytest.raises(InternalError, match="read-only"):
            ask(rename, milliseconds=700)
        assert rename() > 0
    assert settings_now() == ("8s", "off")


def test_one_long_statement_is_cut_off(in_tenant: Any) -> None:
    began = time.monotonic()
    with pytest.raises(OperationalError, match="statement timeout"):
        ask(lambda: sleep(20), milliseconds=100)
    assert time.monotonic() - began < 5
    assert settings_now() == ("8s", "off")


def test_many_short_ones_are_too(in_tenant: Any) -> None:
    def often() -> None:
        for _ in range(1000):
            sleep(0.02)

    began = time.monotonic()
    with pytest.raises(TookTooLong):
        ask(often, milliseconds=100)
    assert time.monotonic() - began < 5


def test_a_question_may_be_asked_while_another_one_is(in_tenant: Any) -> None:
    inner = ask(lambda: ask(settings_now, milliseconds=50), milliseconds=700)
    assert inner == ("50ms", "on")
    assert settings_now() == ("8s", "off")


def test_an_inner_question_has_no_more_time_than_the_outer_one(in_tenant: Any) -> None:
    timeout, _ = ask(lambda: ask(settings_now, milliseconds=5000), milliseconds=300)
    assert 0 < int(timeout.removesuffix("ms")) <= 300

    def late() -> None:
        time.sleep(0.05)
        ask(settings_now, milliseconds=5000)

    with pytest.raises(TookTooLong):
        ask(late, milliseconds=20)
    assert ask(settings_now, milliseconds=700) == ("700ms", "on")


def test_whatever_the_question_raises_is_raised(in_tenant: Any) -> None:
    def broken() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        ask(broken, milliseconds=100)
    assert User.objects.exists()
