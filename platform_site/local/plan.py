"""What `make run` starts, in which order, and when each part counts as ready."""

import http.client
import re
import signal
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from platform_site.local import stripe
from platform_site.local.layout import REPOSITORY, Layout
from platform_site.local.mailbox import HOST, choose_port
from platform_site.local.part import EVERYTHING, Kind, Part, Stage
from platform_site.local.postgres import PostgresServer
from platform_site.local.processes import Command
from platform_site.local.server import Server
from platform_site.local.valkey import ValkeyServer

# Long enough to see what the platform answers without its database, and always the same.
POSTGRES_PAUSE = 5.0

# An ERROR of PostgreSQL is somebody's statement, and often one that was expected to fail.
_TROUBLE_OF_SERVERS = re.compile(r"\b(FATAL|PANIC)\b|# (WARNING|Fatal)")


@dataclass
class Plan:
    layout: Layout
    env: dict[str, str]
    port: int
    postgres: PostgresServer | None
    valkey: ValkeyServer | None
    has_mailbox: bool
    has_stripe: bool

    @classmethod
    def make(cls, layout: Layout, env: dict[str, str], port: int) -> "Plan":
        """Whatever has no address of its own is ours to run, each decided by itself."""
        return cls(
            layout=layout,
            env=env,
            port=port,
            postgres=None if env.get("DATABASE_URL") else PostgresServer(layout),
            valkey=None if env.get("REDIS_URL") else ValkeyServer(layout),
            # A mail server of one's own takes the place of the mailbox.
            has_mailbox=not env.get("EMAIL_URL"),
            has_stripe=stripe.is_wanted(env),
        )

    @property
    def servers(self) -> list[tuple[str, Server]]:
        named: list[tuple[str, Server | None]] = [
            ("postgres", self.postgres),
            ("valkey", self.valkey),
        ]
        return [(name, server) for name, server in named if server is not None]

    def settle_mailbox(self) -> None:
        """Choose the port now, since the web process is told of it at its start."""
        self.env["EMAIL_URL"] = f"smtp://{HOST}:{choose_port(self.layout)}"

    def settle_stripe(self) -> None:
        """Likewise: every process of the platform is told where it is and which secrets it shares with it."""
        self.env.update(stripe.settle(self.layout, self.port))

    def stages(self) -> list[Stage]:
        return [self._server_stage(), [self._migrate()], self._fill_stage(), self._platform_stage()]

    # -- servers -------------------------------------------------------------------------------

    def _server_stage(self) -> Stage:
        parts = [self._server(name, server) for name, server in self.servers]
        if self.has_mailbox:
            parts.append(self._mailbox())
        if self.has_stripe:
            parts.append(self._stripe())
        return parts

    def _server(self, name: str, server: Server) -> Part:
        return Part(
            name=name,
            doing=f"Starting {server.title}",
            prepare=server.prepare,
            command=server.command,
            is_ready=server.is_ready,
            # Recovery after a crash replays what was written since the last checkpoint.
            ready_within=300,
            stop_signal=server.stop_signal,
            stop_within=30,
            restart_after=POSTGRES_PAUSE if name == "postgres" else None,
            shows=_TROUBLE_OF_SERVERS,
        )

    def _mailbox(self) -> Part:
        return Part(
            name="mailbox",
            doing="Starting the mailbox",
            command=lambda: self._python("-m", "platform_site.local.mailbox"),
            is_ready=lambda pid: _answers_smtp(self.layout),
        )

    def _stripe(self) -> Part:
        def command() -> Command:
            return self._python(
                "-m", "billing.local_stripe",
                "--port", str(stripe.port_of(self.layout)),
                "--state", str(self.layout.stripe_dir / "state.sqlite3"),
                "--webhook-url", f"http://{HOST}:{self.port}{stripe.WEBHOOK_PATH}",
            )  # fmt: skip

        return Part(
            name="stripe",
            doing="Starting the local Stripe",
            command=command,
            is_ready=lambda pid: stripe.answers(stripe.port_of(self.layout)),
        )

    # -- steps ---------------------------------------------------------------------------------

    def _migrate(self) -> Part:
        return Part(
            name="migrate",
            doing="Migrating the database",
            kind=Kind.STEP,
            command=lambda: self._python("manage.py", "migrate_all"),
        )

    def _fill_stage(self) -> Stage:
        return [self._seed(), self._catalogue()] if self.has_stripe else [self._seed()]

    def _catalogue(self) -> Part:
        return Part(
            name="catalogue",
            doing="Making the plans known to the local Stripe",
            kind=Kind.STEP,
            command=lambda: self._python("manage.py", "billing_sync_catalogue", "--create", "--replace"),
        )

    def _seed(self) -> Part:
        return Part(
            name="seed",
            doing="Seeding the demo workspace where there is none",
            kind=Kind.STEP,
            command=lambda: self._python("manage.py", "seed_demo", "--if-empty"),
        )

    # -- the platform --------------------------------------------------------------------------

    def _platform_stage(self) -> Stage:
        return [self._web(), self._worker(), self._scheduler()]

    def _web(self) -> Part:
        arguments = ("-m", "platform_site.local.web", HOST, str(self.port))
        return Part(
            name="web",
            doing=f"Starting the platform on port {self.port}",
            command=lambda: self._python(*arguments),
            is_ready=lambda pid: _answers_http(self.port),
            stop_signal=signal.SIGINT,  # after SIGTERM uvicorn ends by the signal, as if it failed
            stop_within=20,
            shows=EVERYTHING,
        )

    def _worker(self) -> Part:
        return Part(
            name="worker",
            doing="Starting the worker",
            command=lambda: self._celery(
                "worker", "--pool", "threads", "--concurrency", "4", "--loglevel", "info",
                "--without-gossip", "--without-mingle",
            ),
            stop_within=20,
        )  # fmt: skip

    def _scheduler(self) -> Part:
        return Part(
            name="scheduler",
            doing="Starting the scheduler",
            command=lambda: self._celery(
                "beat", "--loglevel", "info", "--schedule", str(self.layout.schedule_file), "--pidfile="
            ),
        )

    def _celery(self, *arguments: str) -> Command:
        return self._python("-m", "celery", "-A", "platform_site", *arguments)

    def _python(self, *arguments: str) -> Command:
        return Command(argv=[sys.executable, *arguments], env=self.env, cwd=REPOSITORY)


def _answers_smtp(layout: Layout) -> bool:
    port = layout.smtp_port
    if port is None:
        return False
    try:
        with socket.create_connection((HOST, port), timeout=1) as client:
            return client.recv(64).startswith(b"220")
    except OSError:
        return False


def _answers_http(port: int) -> bool:
    client = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        client.request("GET", "/api/v1/health/live")
        return client.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        client.close()


def port_is_free(port: int) -> bool:
    try:
        socket.create_server((HOST, port)).close()
    except OSError:
        return False
    return True


def server_logs(plan: Plan) -> Sequence[tuple[Server, Path]]:
    return [(server, plan.layout.log_dir / f"{name}.log") for name, server in plan.servers]
