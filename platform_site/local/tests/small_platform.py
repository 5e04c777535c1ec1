"""The real servers with a supervisor of their own, and a script in the place of Django.

Run by the tests as a program, so that they can kill it.
"""

import asyncio
import sys
from pathlib import Path

from platform_site.local.console import Console
from platform_site.local.layout import Layout
from platform_site.local.owner_lock import OwnerLock
from platform_site.local.part import Part
from platform_site.local.plan import Plan
from platform_site.local.processes import Command
from platform_site.local.supervisor import Supervisor

# Starts a grandchild that ignores the gentle signal, as careless programs do.
_WEB = """
import signal, subprocess, sys, time
ignore = lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("grandchild", subprocess.Popen(["sleep", "300"], preexec_fn=ignore).pid, flush=True)
time.sleep(300)
"""


def main() -> int:
    layout = Layout.from_env()
    lock = OwnerLock(layout.owner_lock)
    lock.acquire()
    plan = Plan.make(layout, {}, 0)
    plan.has_mailbox = plan.has_stripe = False
    web = Part(
        name="web",
        doing="Starting the web",
        command=lambda: Command(argv=[sys.executable, "-c", _WEB], env={}, cwd=Path("/")),
    )
    console = Console()
    supervisor = Supervisor(console, layout.log_dir, locks=[lock.fileno()])
    stages = [plan.stages()[0], [web]]
    return asyncio.run(supervisor.run(stages, on_ready=lambda: console.say("READY")))


if __name__ == "__main__":
    sys.exit(main())
