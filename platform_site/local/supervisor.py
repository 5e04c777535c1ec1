"""Starts the parts stage by stage, keeps them running, and stops all of them.

The first signal stops gently, last stage first; a second one kills.  A part that ends by itself
is started again; one that cannot be kept running ends the whole with exit code 1.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path

from platform_site.local.console import Console, PartOutput
from platform_site.local.guard import Guard
from platform_site.local.part import Kind, Part, Restarts, Stage
from platform_site.local.problem import LocalProblem
from platform_site.local.processes import kill_group, signal_process, spawn

_POLL = 0.05
_DRAIN = 0.5
_PARENT_POLL = 0.5


class _Pipe(asyncio.Protocol):
    """Hands on what a child prints, and knows when the last writer has closed."""

    def __init__(self, output: PartOutput) -> None:
        self._output = output
        self.closed = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self._output.feed(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set()


class RunningPart:
    """One part and the process that currently embodies it."""

    def __init__(self, part: Part, output: PartOutput, guard: Guard) -> None:
        self.part = part
        self.output = output
        self._guard = guard
        self._child: subprocess.Popen[bytes] | None = None
        self._pipe: _Pipe | None = None
        self._transport: asyncio.ReadTransport | None = None

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child else None

    async def start(self) -> Sequence[str]:
        notes = await asyncio.to_thread(self.part.prepare)
        # The child is started here and not in the thread: the kernel ties it to its starter.
        self._child = spawn(self.part.command(), stdout=subprocess.PIPE)
        self._guard.watch(self._child.pid, first=self.part.stop_signal, patience=self.part.stop_within)
        pipe = self._pipe = _Pipe(self.output)
        self._transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: pipe, self._child.stdout)
        return notes

    async def becomes_ready(self) -> bool:
        deadline = time.monotonic() + self.part.ready_within
        while self._child is not None and time.monotonic() < deadline:
            if self._child.poll() is not None:
                return False
            if await asyncio.to_thread(self.part.is_ready, self._child.pid):
                return True
            await asyncio.sleep(_POLL)
        return False

    async def ended(self) -> int:
        """The exit code, once there is one.

        Polled, because waiting for the process would also wait for its pipe, and a grandchild can
        hold that for ever.
        """
        while self._child is not None and self._child.poll() is None:
            await asyncio.sleep(_POLL)
        return await self._clean_up()

    async def last_words(self) -> Sequence[str]:
        """Its last lines; of one that has ended by itself to the very last."""
        if self._child is not None and self._child.poll() is not None:
            await self._clean_up()
        return self.output.tail

    async def stop(self, forced: asyncio.Event) -> None:
        if self._child is None:
            return
        signal_process(self._child.pid, self.part.stop_signal)
        deadline = time.monotonic() + self.part.stop_within
        while self._child.poll() is None:
            if forced.is_set() or time.monotonic() > deadline:
                kill_group(self._child.pid)
            await asyncio.sleep(_POLL)
        await self._clean_up()

    async def _clean_up(self) -> int:
        """Take the rest of the output and end what the child has left behind."""
        if self._child is None or self._pipe is None or self._transport is None:
            return 0
        child, pipe, transport = self._child, self._pipe, self._transport
        self._child = self._pipe = self._transport = None
        kill_group(child.pid)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(pipe.closed.wait(), _DRAIN)
        transport.close()
        self.output.finish()
        self._guard.forget(child.pid)
        return int(child.returncode)


class Supervisor:
    def __init__(
        self,
        console: Console,
        log_dir: Path,
        *,
        locks: Sequence[int] = (),
        ends_with_parent: bool = False,
    ) -> None:
        self._console = console
        self._log_dir = log_dir
        self._locks = locks
        self._ends_with_parent = ends_with_parent
        self._guard = Guard()
        self._running: list[list[RunningPart]] = []
        self._keepers: list[asyncio.Task[None]] = []
        self._failure: str | None = None

    async def run(self, stages: Sequence[Stage], *, on_ready: Callable[[], None]) -> int:
        """Until a signal (0) or a failure (1)."""
        self._halt = asyncio.Event()
        self._forced = asyncio.Event()
        self._listen_to_signals()
        self._guard.start(locks=self._locks)
        boot = asyncio.create_task(self._boot(stages, on_ready))
        await self._until_told_to_stop(boot)
        await self._stop_all(boot)
        self._guard.dismiss()
        return 1 if self._failure else 0

    def _listen_to_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for what in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(what, self._on_signal)

    def _on_signal(self) -> None:
        if self._halt.is_set() and not self._forced.is_set():
            self._forced.set()
            self._console.say("\nKilling what still runs.")
        elif not self._halt.is_set():
            self._console.say("\nStopping. (Once more to force it.)")
            self._halt.set()

    async def _until_told_to_stop(self, boot: asyncio.Task[None]) -> None:
        halt = asyncio.create_task(self._halt.wait())
        parent = asyncio.create_task(self._watch_parent())
        await asyncio.wait({boot, halt}, return_when=asyncio.FIRST_COMPLETED)
        if boot.done() and not boot.cancelled() and (error := boot.exception()):
            if not isinstance(error, LocalProblem):
                self._failure = repr(error)
                raise error
            self._fail(str(error))
        await halt
        parent.cancel()

    async def _watch_parent(self) -> None:
        """A killed make cannot tell us, but its orphan gets another parent."""
        parent = os.getppid()
        while os.getppid() == parent:
            await asyncio.sleep(_PARENT_POLL)
        if self._ends_with_parent and not self._halt.is_set():
            self._on_signal()

    def _fail(self, reason: str) -> None:
        if self._failure is None and not self._halt.is_set():
            self._failure = reason
            self._console.problem(reason)
        self._halt.set()

    # -- starting ------------------------------------------------------------------------------

    async def _boot(self, stages: Sequence[Stage], on_ready: Callable[[], None]) -> None:
        for stage in stages:
            running = [self._make(part) for part in stage]
            self._running.append(running)
            await _together([self._bring_up(one) for one in running])
        for one in self._everything():
            one.output.shown = True
        on_ready()

    def _make(self, part: Part) -> RunningPart:
        output = PartOutput(part.name, self._log_dir, self._console, shows=part.shows)
        return RunningPart(part, output, self._guard)

    async def _bring_up(self, one: RunningPart) -> None:
        self._console.say(f"{one.part.doing} ...")
        await self._start(one)
        if one.part.kind is Kind.STEP:
            if await one.ended() != 0:
                raise LocalProblem(await self._obituary(one, "failed"))
            return
        if not await one.becomes_ready():
            raise LocalProblem(await self._obituary(one, "did not start"))
        self._keepers.append(asyncio.create_task(self._keep(one)))

    async def _start(self, one: RunningPart) -> None:
        for note in await one.start():
            self._console.note(note)

    async def _obituary(self, one: RunningPart, what: str) -> str:
        lines = "\n".join(f"    {line}" for line in await one.last_words())
        log = self._log_dir / f"{one.part.name}.log"
        return f"{one.part.name} {what}. Its last lines (all of them are in {log}):\n{lines}"

    # -- keeping -------------------------------------------------------------------------------

    async def _keep(self, one: RunningPart) -> None:
        """Start the part again whenever it ends by itself."""
        restarts = Restarts(one.part.restart_after)
        while True:
            code = await one.ended()
            pause = restarts.next_pause()
            if pause is None:
                self._fail(await self._obituary(one, "keeps ending"))
                return
            self._console.problem(f"{one.part.name} ended ({_describe(code)}); starting it again in {pause:g} s")
            await asyncio.sleep(pause)
            try:
                await self._start(one)
            except (LocalProblem, OSError) as error:
                self._fail(f"{one.part.name} cannot be started again: {error}")
                return
            if await one.becomes_ready():
                self._console.note(f"{one.part.name} is back")

    # -- stopping ------------------------------------------------------------------------------

    async def _stop_all(self, boot: asyncio.Task[None]) -> None:
        """Last stage first; the parts of a stage together, for none needs another of its stage."""
        for task in (boot, *self._keepers):
            task.cancel()
        await asyncio.gather(boot, *self._keepers, return_exceptions=True)
        for one in self._everything():
            # What servers and workers say about being stopped is for the log files.
            one.output.shown = False
        for stage in reversed(self._running):
            await asyncio.gather(*(one.stop(self._forced) for one in stage))
        for one in self._everything():
            one.output.close()

    def _everything(self) -> list[RunningPart]:
        return [one for stage in self._running for one in stage]


async def _together(starts: Sequence[Coroutine[None, None, None]]) -> None:
    """Run all of them; the first failure cancels the others and is the one that is told."""
    tasks = [asyncio.ensure_future(start) for start in starts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _describe(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
