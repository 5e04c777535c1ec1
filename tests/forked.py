"""Processes of ours that are there at once.

A fresh process imports the platform for more than a second. These are forked from one that has imported it and done
nothing else: it has no connection, no thread and no cache that one could share. Its environment is that of its
start, and ``same_environment`` says whether a fresh process would have another one.
"""

import multiprocessing
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import django
from django.apps import apps

if not apps.ready:
    # In the process from which others are forked, which imports this module and waits.
    django.setup()

_forks: Final = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload([__name__])
# What tests set for themselves, and what pytest does.
_OF_THE_TEST: Final = {"TEST_DATABASE_NAME", "PYTEST_CURRENT_TEST", "PYTEST_VERSION"}
_started_with: dict[str, str] = {}


def same_environment() -> bool:
    """Whether nobody set a variable since the first process of ours was started, or it is not started yet."""
    if not _started_with:
        _started_with.update(_environment())
    return _started_with == _environment()


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _OF_THE_TEST}


def run_forked(work: Callable[..., None], *arguments: Any, database: str, seconds: float) -> tuple[int, str, str]:
    """Call ``work`` in a process that uses this database. Gives exit code, standard output and standard error.

    The code is negative for a signal that ended it. Raises ``TimeoutError``.
    """
    from django.conf import settings

    same_environment()
    with tempfile.TemporaryDirectory() as directory:
        out, err = Path(directory, "out"), Path(directory, "err")
        process = _forks.Process(
            target=_begin, args=(database, settings.REDIS_PREFIX, str(out), str(err), work, arguments)
        )
        process.start()
        process.join(seconds)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise TimeoutError(f"It did not end within {seconds} seconds.")
        code = process.exitcode
        process.close()
        return code, out.read_text() if out.exists() else "", err.read_text() if err.exists() else ""


def _begin(database: str, prefix: str, out: str, err: str, work: Callable[..., None], arguments: Sequence[Any]) -> None:
    from django.conf import settings

    from tests.support import point_at

    for descriptor, path in ((1, out), (2, err)):
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(file, descriptor)
        os.close(file)
    settings.REDIS_PREFIX = prefix
    point_at(database)
    work(*arguments)


# -- what they do ------------------------------------------------------------------------------


def killed(source: str, statement: int) -> None:
    """Run the source, and die of -9 before SQL statement number ``statement``."""
    from django.db import connection

    left = statement

    def kill(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(sql, params, many, context)

    connection.ensure_connection()
    connection.execute_wrappers.append(kill)
    try:
        exec(compile(source, "work", "exec"), {"os": os, "signal": signal, "__name__": "work"})  # noqa: S102 - source of a test
    except BaseException:
        traceback.print_exc()
        raise


def manage(arguments: Sequence[str], entered: str | None) -> None:
    """As ``manage.py`` does; ``entered`` is what stands on standard input."""
    from django.core.management import execute_from_command_line

    if entered is not None:
        with tempfile.TemporaryFile("w+") as file:
            file.write(entered)
            file.seek(0)
            os.dup2(file.fileno(), 0)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - for as long as the process lives
    execute_from_command_line(["manage.py", *arguments])
