"""The supervisor with real processes: what it starts it stops, whatever happens to it."""

import asyncio
import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from platform_site.local.console import Console, PartOutput
from platform_site.local.layout import REPOSITORY, Layout
from platform_site.local.owner_lock import OwnerLock
from platform_site.local.part import EVERYTHING, WARNINGS, Kind, Part, Restarts
from platform_site.local.processes import Command, is_alive, wait_until
from platform_site.local.supervisor import Supervisor

pytestmark = pytest.mark.no_django

# -- the real servers under it -----------------------------------------------------------------


@pytest.fixture
def platform(home: Layout) -> Iterator[subprocess.Popen[str]]:
    child = _start(home)
    yield child
    child.kill()
    child.wait()
    assert child.stdout
    child.stdout.close()
    # The guard holds the lock until it has stopped everything.
    OwnerLock(home.owner_lock).acquire()


def _start(home: Layout) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-m", "platform_site.local.tests.small_platform"],
        cwd=REPOSITORY,
        env={"VAR_DIR": str(home.var_dir), "PATH": os.environ["PATH"]},
        stdout=subprocess.PIPE,
        text=True,
    )
    _read_until(child, "READY")
    return child


def _read_until(child: subprocess.Popen[str], word: str) -> None:
    assert child.stdout
    line = next((line for line in child.stdout if word in line), None)
    assert line, f"ended before {word!r}"


def _pids(home: Layout) -> list[int]:
    """The postmaster, and the grandchild that ignores the gentle signal."""
    log = home.log_dir / "web.log"
    assert wait_until(lambda: b"grandchild" in log.read_bytes(), timeout=5)
    return [_postmaster(home), int(log.read_text().split()[-1])]


def _postmaster(home: Layout) -> int:
    return int(home.postgres_data.joinpath("postmaster.pid").read_text().splitlines()[0])


def test_it_starts_and_a_gentle_signal_stops_all_with_exit_code_0(
    platform: subprocess.Popen[str], home: Layout
) -> None:
    pids = _pids(home)
    platform.send_signal(signal.SIGINT)
    assert platform.wait(timeout=20) == 0
    assert not any(is_alive(pid) for pid in pids)
    assert not home.postgres_data.joinpath("postmaster.pid").exists()


def test_kill_9_leaves_nothing_and_the_next_start_works(platform: subprocess.Popen[str], home: Layout) -> None:
    pids = _pids(home)
    platform.kill()
    platform.wait()
    again = _start(home)
    assert not any(is_alive(pid) for pid in pids)
    again.send_signal(signal.SIGTERM)
    assert again.wait(timeout=20) == 0
    assert again.stdout
    again.stdout.close()


def test_a_dead_postgres_comes_back_after_exactly_five_seconds(platform: subprocess.Popen[str], home: Layout) -> None:
    os.kill(_postmaster(home), signal.SIGKILL)
    _read_until(platform, "postgres ended (signal SIGKILL)")
    down = time.monotonic()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(home.database_url)
    _read_until(platform, "postgres is back")
    assert 4.9 < time.monotonic() - down < 7
    psycopg.connect(home.database_url).close()


# -- small children ----------------------------------------------------------------------------


def _part(name: str, code: str, **options: object) -> Part:
    return Part(
        name=name,
        doing=f"Starting {name}",
        command=lambda: Command(argv=[sys.executable, "-uc", code], env={}, cwd=Path("/")),
        **options,  # type: ignore[arg-type]
    )


_SLEEP = "import time; time.sleep(100)"
_STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf');time.sleep(100)"


class Run:
    """One run of a supervisor in this process; signals are sent to ourselves."""

    def __init__(self, log_dir: Path, *stages: list[Part]) -> None:
        self.log_dir = log_dir
        self.stages = stages
        self.terminal = io.StringIO()
        self.ready = threading.Event()

    def to_the_end(self, *signals: tuple[float, signal.Signals]) -> int:
        supervisor = Supervisor(Console(self.terminal), self.log_dir)
        sender = threading.Thread(target=self._send, args=(signals,))
        sender.start()
        try:
            return asyncio.run(supervisor.run(self.stages, on_ready=self.ready.set))
        finally:
            sender.join()

    def _send(self, signals: tuple[tuple[float, signal.Signals], ...]) -> None:
        if signals and self.ready.wait(timeout=20):
            for pause, what in signals:
                time.sleep(pause)
                os.kill(os.getpid(), what)


def test_a_step_that_fails_ends_the_start_and_shows_why(tmp_path: Path) -> None:
    step = _part("step", "print('the reason'); raise SystemExit(3)", kind=Kind.STEP)
    run = Run(tmp_path, [_part("first", _SLEEP)], [step], [_part("never", _SLEEP)])
    assert run.to_the_end() == 1
    assert "the reason" in run.terminal.getvalue()
    assert "never" not in run.terminal.getvalue()
    assert tmp_path.joinpath("step.log").read_text() == "the reason\n"


def test_a_part_that_ends_before_it_is_ready_ends_the_start(tmp_path: Path) -> None:
    part = _part("web", "print('no such module')", is_ready=lambda pid: False)
    run = Run(tmp_path, [part])
    assert run.to_the_end() == 1
    assert "web did not start" in run.terminal.getvalue()
    assert "no such module" in run.terminal.getvalue()


def test_its_last_words_are_read_before_they_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing is read before its end is known.
    monkeypatch.setattr(subprocess.Popen, "poll", lambda child: child.wait())
    run = Run(tmp_path, [_part("web", "print('no such module')", is_ready=lambda pid: False)])
    assert run.to_the_end() == 1
    assert "no such module" in run.terminal.getvalue()


def test_a_part_that_never_gets_ready_ends_the_start(tmp_path: Path) -> None:
    part = _part("web", _SLEEP, is_ready=lambda pid: False, ready_within=0.5)
    assert Run(tmp_path, [part]).to_the_end() == 1


def test_a_part_that_keeps_ending_is_given_up_with_exit_code_1(tmp_path: Path) -> None:
    run = Run(tmp_path, [_part("web", "import time; time.sleep(0.1)", restart_after=0.05)])
    assert run.to_the_end() == 1
    assert run.terminal.getvalue().count("starting it again") == 5
    assert "keeps ending" in run.terminal.getvalue()


def test_a_second_signal_does_not_wait_for_the_deaf(tmp_path: Path) -> None:
    run = Run(tmp_path, [_part("deaf", _STUBBORN, stop_within=60)])
    beginning = time.monotonic()
    assert run.to_the_end((0.5, signal.SIGINT), (0.3, signal.SIGINT)) == 0
    assert time.monotonic() - beginning < 10


def test_the_deaf_are_killed_when_their_time_is_over(tmp_path: Path) -> None:
    run = Run(tmp_path, [_part("deaf", _STUBBORN, stop_within=0.5)])
    assert run.to_the_end((0.5, signal.SIGINT)) == 0


def test_a_grandchild_that_holds_the_pipe_does_not_hold_us(tmp_path: Path) -> None:
    code = "import subprocess; subprocess.Popen(['/bin/sleep', '100'], start_new_session=True);print('gone')"
    beginning = time.monotonic()
    run = Run(tmp_path, [_part("step", code, kind=Kind.STEP)], [_part("web", _SLEEP)])
    assert run.to_the_end((0, signal.SIGINT)) == 0
    assert time.monotonic() - beginning < 10


def test_the_terminal_shows_a_talkative_part_and_of_a_quiet_one_what_matters(
    tmp_path: Path,
) -> None:
    words = "import time; time.sleep(.5); print('all is well'); print('WARNING: look'); " + _SLEEP
    run = Run(tmp_path, [_part("quiet", words), _part("loud", words, shows=EVERYTHING)])
    assert run.to_the_end((1.5, signal.SIGINT)) == 0
    shown = [line.strip() for line in run.terminal.getvalue().splitlines() if "|" in line]
    assert sorted(shown) == [
        "loud | WARNING: look",
        "loud | all is well",
        "quiet | WARNING: look",
    ]
    assert tmp_path.joinpath("quiet.log").read_text() == "all is well\nWARNING: look\n"


def test_a_traceback_is_shown_whole_and_an_error_in_whatever_colour(tmp_path: Path) -> None:
    output = PartOutput("web", tmp_path, Console(terminal := io.StringIO()), shows=WARNINGS)
    output.shown = True
    output.feed(b"before\nTraceback (most recent call last):\n  File x\n    y\nKeyErr")
    output.feed(b": z\nafter\n\x1b[1m\x1b[31merror\x1b[0m in colour\n")
    output.close()
    shown = [line.partition("| ")[2] for line in terminal.getvalue().splitlines()]
    assert shown == [
        "Traceback (most recent call last):",
        "  File x",
        "    y",
        "KeyErr: z",
        "error in colour",
    ]


def test_endless_output_without_a_line_end_is_cut_and_not_collected(tmp_path: Path) -> None:
    step = _part("step", "print('x' * 1_000_000, end='')", kind=Kind.STEP)
    run = Run(tmp_path, [step], [_part("web", _SLEEP)])
    assert run.to_the_end((0, signal.SIGINT)) == 0
    assert tmp_path.joinpath("step.log").read_text().count("x") == 1_000_000


def test_restarts_slow_down_and_end_at_five_a_minute() -> None:
    now = 0.0
    restarts = Restarts(clock=lambda: now)
    assert [restarts.next_pause() for _ in range(6)] == [0.5, 1, 2, 4, 8, None]
    now = 61.0
    assert restarts.next_pause() == 0.5
