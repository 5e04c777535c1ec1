"""Run the whole platform on this machine.

    python -m platform_site.local.run              everything, until Ctrl-C
    python -m platform_site.local.run -- COMMAND   the embedded servers and one command

`make run` is the first, `make shell` and `make migrate` are the second.
"""

import asyncio
import os
import sys
import time
from collections.abc import Mapping, Sequence

from platform_site.local import banner, stripe
from platform_site.local.console import Console
from platform_site.local.environment import for_children, read_env_file
from platform_site.local.layout import REPOSITORY, Layout
from platform_site.local.owner_lock import InUse, OwnerLock
from platform_site.local.plan import Plan, port_is_free, server_logs
from platform_site.local.problem import LocalProblem
from platform_site.local.standalone import run_in_foreground, running
from platform_site.local.supervisor import Supervisor
from platform_site.local.terminal import foreground

_DEFAULT_PORT = "8000"


def main(arguments: Sequence[str]) -> int:
    console = Console()
    environ = {**read_env_file(REPOSITORY / ".env"), **os.environ}
    try:
        if arguments[:1] == ["--"] and len(arguments) > 1:
            return _run_command(arguments[1:], environ)
        if arguments:
            console.say((__doc__ or "").strip())
            return 2
        return _run_everything(console, environ)
    except LocalProblem as problem:
        console.problem(str(problem))
        return 1
    except PermissionError as error:
        console.problem(f"{error.filename} is closed to us: {error.strerror}.")
        return 1


def _run_everything(console: Console, environ: Mapping[str, str]) -> int:
    beginning = time.monotonic()
    layout = Layout.from_env(environ)
    port = _port(environ)
    lock = _own(layout)
    _require_free(port)
    plan = Plan.make(layout, for_children(environ, layout), port)
    plan.env["PORT"] = str(port)
    layout.web_port_file.write_text(str(port))
    if plan.has_mailbox:
        plan.settle_mailbox()
    if plan.has_stripe:
        plan.settle_stripe()

    def show_banner() -> None:
        banner.show(
            console,
            port=port,
            log_dir=layout.log_dir,
            dev_pages=plan.postgres is not None and plan.has_mailbox,
            stripe_port=stripe.port_of(layout) if plan.has_stripe else None,
            seconds=time.monotonic() - beginning,
        )

    supervisor = Supervisor(
        console,
        layout.log_dir,
        locks=[lock.fileno()],
        # Started by hand, in a script or a session manager, we may well outlive the starter.
        ends_with_parent="MAKELEVEL" in environ,
    )
    try:
        with foreground():
            code = asyncio.run(supervisor.run(plan.stages(), on_ready=show_banner))
    finally:
        layout.smtp_port_file.unlink(missing_ok=True)
        layout.web_port_file.unlink(missing_ok=True)
        layout.stripe_port_file.unlink(missing_ok=True)
        for _, server in plan.servers:
            server.release()
    if code == 0:
        console.say("Stopped.")
    return code


def _own(layout: Layout) -> OwnerLock:
    lock = OwnerLock(layout.owner_lock)
    try:
        lock.acquire()
    except InUse:
        raise LocalProblem(
            f"{layout.var_dir} is in use by another `make run` (process {lock.owner()}). Stop that "
            "one, or start this one beside it:\n"
            "    make run VAR_DIR=/some/other/place PORT=8001"
        ) from None
    return lock


def _port(environ: Mapping[str, str]) -> int:
    text = environ.get("PORT") or _DEFAULT_PORT
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise LocalProblem(f"PORT must be a number from 1 to 65535, not {text!r}.")
    return int(text)


def _require_free(port: int) -> None:
    if not port_is_free(port):
        raise LocalProblem(
            f"Port {port} is in use by another program. Stop it, or choose another port:\n"
            f"    make run PORT={port + 1 if port < 65535 else port - 1}"
        )


def _run_command(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """One command with the servers it needs: those of a running `make run`, or our own."""
    layout = Layout.from_env(environ)
    env = for_children(environ, layout)
    argv = [sys.executable, *command[1:]] if command[0] == "python" else list(command)
    lock = OwnerLock(layout.owner_lock)
    if lock.is_taken():
        # PUBLIC_URL follows from it, by which the platform is known to others.
        if layout.web_port and "PORT" not in env:
            env["PORT"] = layout.web_port
        if stripe.is_wanted(env):
            env.update(stripe.variables_of_running(layout))
        return run_in_foreground(argv, env)
    lock.acquire()
    with running(server_logs(Plan.make(layout, env, int(_DEFAULT_PORT)))):
        return run_in_foreground(argv, env)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
