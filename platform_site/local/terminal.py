"""Take Ctrl-C for ourselves when make started us.

make dies of the interrupt that its terminal sends to it as well, with code 130, however cleanly
we stop.  While we are a group of our own in the foreground only we get it, and make sees our 0.
"""

import contextlib
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def foreground() -> Iterator[None]:
    """Be the terminal's foreground group; do nothing where there is no terminal to be had."""
    terminal = _open_terminal()
    if terminal is None:
        yield
        return
    former = os.getpgrp()
    try:
        if former == os.getpid() or os.tcgetpgrp(terminal) != former:
            # Already alone in our group, or in the background, where no Ctrl-C arrives.
            yield
            return
        os.setpgid(0, 0)
        _put_in_front(terminal, os.getpgrp())
        # make would not notice that we were suspended, and nobody would get the terminal back.
        signal.signal(signal.SIGTSTP, signal.SIG_IGN)
        try:
            yield
        finally:
            _put_in_front(terminal, former)
    finally:
        os.close(terminal)


def _open_terminal() -> int | None:
    try:
        return os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None


def _put_in_front(terminal: int, group: int) -> None:
    """A process in the background may do this only while it ignores SIGTTOU."""
    former = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    # When the terminal was closed or the group has ended there is nothing to hand over.
    with contextlib.suppress(OSError):
        os.tcsetpgrp(terminal, group)
    signal.signal(signal.SIGTTOU, former)
