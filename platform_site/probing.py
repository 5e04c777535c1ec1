"""Asking something that may fail or take too long, so that whoever asks goes on as if nothing had been asked."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import connection, transaction

Answer = TypeVar("Answer")


class TookTooLong(Exception):
    """The time was over before the question was answered."""


def ask(question: Callable[[], Answer], *, milliseconds: int) -> Answer:
    """What ``question`` gives, inside the bound tenant. It may only read, and raises whatever it raises.

    No statement of it may take longer than ``milliseconds``, and none begins after them. Everything is taken back
    at the end, with it the two settings: a caller in a transaction has them as they were, also after an error.
    """
    deadline = time.monotonic() + milliseconds / 1000

    def in_time(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        if time.monotonic() > deadline:
            raise TookTooLong
        return execute(sql, params, many, context)

    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {milliseconds:d}; SET LOCAL transaction_read_only = on")
        with connection.execute_wrapper(in_time):
            answer = question()
        transaction.set_rollback(True)
    return answer
