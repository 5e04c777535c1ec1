"""Asking something that may fail or take too long, so that whoever asks goes on as if nothing had been asked."""

import math
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, TypeVar

from django.db import connection, transaction

Answer = TypeVar("Answer")
# By time.monotonic().
_deadline: ContextVar[float] = ContextVar("when the question that is being asked has to be answered", default=math.inf)


class TookTooLong(Exception):
    """The time was over before the question was answered."""


def ask(question: Callable[[], Answer], *, milliseconds: int) -> Answer:
    """What ``question`` gives, inside the bound tenant. It may only read, and raises whatever it raises.

    No statement of it may take longer than ``milliseconds``, and none begins after them. Everything is taken back
    at the end, with it the two settings: a caller in a transaction has them as they were, also after an error. One
    question inside another has no more time than is left for the outer one.
    """
    deadline = min(time.monotonic() + milliseconds / 1000, _deadline.get())
    left = round((deadline - time.monotonic()) * 1000)
    if left < 1:
        raise TookTooLong

    def in_time(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        if time.monotonic() > deadline:
            raise TookTooLong
        return execute(sql, params, many, context)

    token = _deadline.set(deadline)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL statement_timeout = {left:d}; SET LOCAL transaction_read_only = on")
            with connection.execute_wrapper(in_time):
                answer = question()
            transaction.set_rollback(True)
        return answer
    finally:
        _deadline.reset(token)
