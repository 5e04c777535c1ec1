"""What tests of sockets share: one database, processes over it, and companies of a test's own in it.

A process takes seconds to start, so tests that do not hurt it use the same one.
Nothing passes between them: each makes its companies anew.
"""

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from psycopg import sql

from platform_site.api.identity import Identity
from tests.realtime.processes import Process
from tests.support import (
    PASSWORD,
    Api,
    create_database,
    database_environment,
    database_server,
    drop_database,
    point_at,
    signed_in,
)

# Pages that may open sockets: the frontend, and one that CORS names.
FRONTEND, LISTED = "https://app.sockets.test", "https://partner.sockets.test"
_numbers = itertools.count(1)


class Shared:
    """The database, and its processes by name."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.database = f"sockets_{uuid4().hex[:12]}"
        self.prefix = f"sockets-{uuid4().hex[:12]}"
        self._processes: dict[str, Process] = {}

    @property
    def environment(self) -> dict[str, str]:
        """In which another process sees the same."""
        origins = {"FRONTEND_URL": FRONTEND, "CORS_ALLOWED_ORIGINS": LISTED}
        return database_environment(self.database) | origins | {"REDIS_PREFIX": self.prefix}

    def process(self, name: str = "first", environment: Mapping[str, str] | None = None) -> Process:
        """Started when it is not running; the environment counts the first time."""
        process = self._processes.get(name)
        if process is None:
            log = self.directory / f"{name}.log"
            process = self._processes[name] = Process({**self.environment, **(environment or {})}, log)
        if not process.running:
            process.start()
        return process

    def failures(self) -> str:
        """What processes wrote where something happened that they had not expected, since this was asked last."""
        return "".join(process.failures() for process in self._processes.values())

    def end(self) -> None:
        for process in self._processes.values():
            process.kill()

    @contextmanager
    def made(self, template: str) -> Iterator[None]:
        create_database(self.database, template)
        try:
            yield
        finally:
            self.end()
            drop_database(self.database)

    @contextmanager
    def used(self) -> Iterator[None]:
        """Let this process, with all of its threads, work in this database meanwhile."""
        before = os.environ["TEST_DATABASE_NAME"]
        point_at(self.database)
        try:
            yield
        finally:
            point_at(before)

    def lock_out(self) -> None:
        """As when the database is away: nobody has a connection, and nobody gets one."""
        name = sql.Identifier(self.database)
        with database_server() as connection:
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(name))
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [self.database]
            )

    def let_in(self) -> None:
        with database_server() as connection:
            connection.execute(
                sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(self.database))
            )


class Person:
    """Somebody who is signed in. ``number`` is theirs in their company."""

    def __init__(self, api: Api) -> None:
        from accounts.tests.people import identity

        self.api = api
        self.tenant: Any = api.tenant
        self.number: int = api.user.id
        self.identity: Identity = identity(api)

    @property
    def token(self) -> str:
        return self.api.token

    def say(self, channel: str, content: str) -> dict[str, Any]:
        """The stored message, by the service that REST calls as well."""
        from chat.services.messages import message_send
        from platform_site.binding import bind

        with bind(self.tenant.ref):
            return message_send(actor=self.identity, channel_id=UUID(channel), content=content).message

    def correct(self, message: dict[str, Any], content: str) -> None:
        """Let an own message say something else."""
        from chat.services.message_changes import message_edit
        from platform_site.binding import bind

        channel, number = UUID(message["channelId"]), UUID(message["id"])
        with bind(self.tenant.ref):
            message_edit(actor=self.identity, channel_id=channel, message_id=number, content=content)


class Company:
    """A tenant of its own. Its first person is the administrator; numbers are 1, 2, 3 … in every company.

    ``people`` are signed in; ``others`` are only there.
    """

    def __init__(self, people: int = 2, others: int = 0) -> None:
        from accounts.services.people import user_create
        from platform_site.binding import bind
        from tenancy.models import Tenant
        from tenancy.registration import tenant_register

        self.slug = f"sockets-{next(_numbers)}"
        made = tenant_register(
            company_name=self.slug, slug=self.slug, admin_email=f"1@{self.slug}.test", admin_password=PASSWORD
        )
        self.tenant: Any = Tenant.objects.get(id=made.tenant.id)
        with bind(self.tenant.ref):
            for number in range(2, people + others + 1):
                user_create(email=f"{number}@{self.slug}.test", first_name=f"P{number}")
        self.people = [self.sign_in(number) for number in range(1, people + 1)]

    def sign_in(self, number: int) -> Person:
        """A further session of this person."""
        person = Person(signed_in(self.tenant, f"{number}@{self.slug}.test"))
        assert person.number == number
        return person

    def group(self, numbers: Sequence[int] = ()) -> str:
        """A group of these, or of all who are signed in; the first one owns it."""
        from chat.services.channels import group_create
        from platform_site.binding import bind

        owner, *others = numbers or [person.number for person in self.people]
        with bind(self.tenant.ref):
            actor = self.people[owner - 1].identity
            return str(group_create(actor=actor, name="Project Alpha", member_refs=others))

    def stored(self, channel: str) -> list[tuple[int, str]]:
        """(seq, content) of everything that was said there."""
        from chat.models import Message
        from platform_site.binding import bind

        with bind(self.tenant.ref):
            return list(Message.objects.filter(channel_id=channel).order_by("seq").values_list("seq", "content"))
