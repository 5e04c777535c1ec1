"""Mail: claiming work, sending it, and what requests cost while mail server and Valkey are away."""

import json
from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks.bench import Bench
from benchmarks.database import Database
from benchmarks.load import get, load
from benchmarks.mailing import EVENT, Mailing, MailServer
from benchmarks.processes import Web, free_port, granian
from benchmarks.row import Arm, Figure, Pairs, Row, at_most, interleaved

FEW, MANY, TENANTS = 1_000, 100_000, 500
CLAIMED, MAILS = 500, 200
SECONDS = 0.8
# Rows of tenants that need not exist: nothing is done about them.
_WAITING = """
    INSERT INTO outbox_outboxrow (id, tenant_id, entry_id, key, reaction, state, attempts, last_error, available_at)
    SELECT gen_random_uuid(), (lpad(to_hex(n % {tenants}), 32, '0'))::uuid, gen_random_uuid(), 'notifications.deliver',
           'notifications.deliver', 'pending', 0, '', now() - n * interval '1 ms'
    FROM generate_series(1, {count}) AS n
"""


class Claim(Row):
    name = "mail_claim"
    title = f"Claim and finish a job, {MANY:,} of {TENANTS} tenants wait"
    counterpart = f"{FEW:,} of 1 tenant wait"

    def measure(self, bench: Bench) -> Iterator[Figure]:
        with ExitStack() as stack:
            few, many = (stack.enter_context(bench.database(tenants=1)) for _ in range(2))

            def arm(database: Database, count: int, tenants: int) -> Arm:
                mailing = stack.enter_context(Mailing(database))

                def once() -> float:
                    _fill(database, count, tenants)
                    return mailing.claim(CLAIMED)

                once()
                return once

            arms = arm(many, MANY, TENANTS), arm(few, FEW, 1)
            yield self.against(Pairs(*interleaved(bench.rounds(5), *arms)), "/s")


def _fill(database: Database, count: int, tenants: int) -> None:
    with database.connect() as connection:
        connection.execute("TRUNCATE outbox_outboxrow")
        connection.execute(_WAITING.format(count=count, tenants=tenants))
        connection.execute("VACUUM (ANALYZE) outbox_outboxrow")


class Send(Row):
    name = "mail_send"
    title = "Send a notification by mail, one dispatcher"
    counterpart = "smtplib alone, one connection, ready bytes"

    def measure(self, bench: Bench) -> Iterator[Figure]:
        with ExitStack() as stack:
            database = stack.enter_context(bench.database(tenants=1))
            server = stack.enter_context(MailServer())
            mailing = stack.enter_context(Mailing(database, server.port))

            def ours() -> float:
                speed = mailing.send(MAILS)
                assert server.arrived() == MAILS, "mails are missing"
                return speed

            def plainly() -> float:
                speed = mailing.send_plainly(MAILS)
                assert server.arrived() == MAILS, "mails are missing"
                return speed

            ours()
            yield self.against(Pairs(*interleaved(bench.rounds(9), ours, plainly)), "mails/s")


class Outage(Row):
    name = "mail_outage"
    title = "POST /notifications/send, mail server and Valkey away"
    counterpart = "both there"
    bar = at_most(1.5, aim=1.2)

    def measure(self, bench: Bench) -> Iterator[Figure]:
        with bench.database(tenants=1) as database, ExitStack() as stack:
            server = stack.enter_context(MailServer())
            usual = stack.enter_context(granian({**database.env(), **_mail(server.port)}, workers=1))
            gone = f"redis://127.0.0.1:{free_port()}"
            away = stack.enter_context(
                granian(
                    {
                        **database.env(),
                        **_mail(free_port()),
                        "REDIS_URL": f"{gone}/0",
                        "CELERY_BROKER_URL": f"{gone}/1",
                    },
                    workers=1,
                )
            )
            for what, request in _requests(database.tenants[0].token).items():
                arms = _arm(away, request), _arm(usual, request)
                figures = Pairs(*interleaved(bench.rounds(9), *arms))
                yield figures.figure(self.title if what == "" else what, "ms", self.counterpart, self.bar)


def _mail(port: int) -> dict[str, str]:
    return {"EMAIL_URL": f"smtp://127.0.0.1:{port}"}


def _requests(token: str) -> dict[str, str]:
    values = {"leadName": "Acme Corp", "assignedBy": "Jane Doe", "leadId": 42}
    raised = {"eventKey": EVENT, "userIds": [1], "data": values}
    wish = {"eventKey": EVENT, "channel": "email", "enabled": True}
    return {
        "": _write("POST", "/api/v1/notifications/send", token, raised),
        "The same, mark-all-read": _write("POST", "/api/v1/notifications/mark-all-read", token, {}),
        "The same, GET /notifications": get("/api/v1/notifications", token),
        "The same, PUT preferences": _write("PUT", "/api/v1/notifications/preferences", token, wish),
    }


def _write(method: str, path: str, token: str, body: object) -> str:
    """Such a request as it goes over the wire."""
    content = json.dumps(body)
    head = get(path, token).replace("GET", method, 1).removesuffix("\r\n")
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n{content}"


def _arm(web: Web, request: str) -> Arm:
    """Milliseconds for one request, one client after another."""

    def once() -> float:
        return load(port=web.port, requests=[request], connections=1, seconds=SECONDS).p50_ms

    once()
    return once
