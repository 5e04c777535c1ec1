"""When a local Stripe is started beside the platform, and what the platform is told of it."""

import json
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from platform_site.local import stripe
from platform_site.local.banner import show
from platform_site.local.console import Console
from platform_site.local.layout import Layout
from platform_site.local.mailbox import HOST
from platform_site.local.plan import Plan

pytestmark = pytest.mark.no_django


@pytest.mark.parametrize(
    ("env", "is_wanted"),
    [
        ({}, True),
        ({"STRIPE_SECRET_KEY": "sk_test_mine"}, False),
        # An empty key says that there is to be no billing.
        ({"STRIPE_SECRET_KEY": ""}, False),
        ({"DATABASE_URL": "postgresql://h/d"}, False),
    ],
)
def test_it_is_wanted_on_an_embedded_database_without_a_key(env: dict, is_wanted: bool, tmp_path: Path) -> None:
    assert stripe.is_wanted(env) is is_wanted
    plan = Plan.make(Layout(tmp_path), dict(env), 8000)
    stages = [[part.name for part in stage] for stage in plan.stages()]
    assert ("stripe" in stages[0]) is is_wanted
    # Its prices are made once there are tables, and before anybody can buy.
    assert stages[1:3] == [["migrate"], ["seed", "catalogue"] if is_wanted else ["seed"]]


def test_the_platform_is_told_where_it_is_and_the_secrets_stay(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    assert stripe.variables_of_running(layout) == {}
    told = stripe.settle(layout, 18_000)
    assert told["STRIPE_API_BASE"] == f"http://{HOST}:{stripe.port_of(layout)}"
    assert told["STRIPE_SECRET_KEY"].startswith("sk_test_local_")
    assert told["STRIPE_WEBHOOK_SECRETS"].startswith("whsec_")
    # A command beside it is told the same, and after a restart the secrets are still those.
    assert stripe.variables_of_running(layout) == told
    assert stripe.settle(layout, 18_000) == told
    assert stat.S_IMODE((layout.stripe_dir / "secrets.env").stat().st_mode) == 0o600


def test_a_port_that_is_taken_is_left_to_others(tmp_path: Path) -> None:
    with answering({}) as port:
        assert stripe.settle(Layout(tmp_path), port - 3)["STRIPE_API_BASE"] != f"http://{HOST}:{port}"
    assert stripe.settle(Layout(tmp_path), 65_535)["STRIPE_API_BASE"]


def test_its_part_is_told_the_port_and_where_events_go(tmp_path: Path) -> None:
    plan = Plan.make(Layout(tmp_path), {}, 18_000)
    plan.settle_stripe()
    part = next(part for part in plan.stages()[0] if part.name == "stripe")
    argv = list(part.command().argv)
    assert argv[argv.index("--port") + 1] == str(stripe.port_of(plan.layout))
    assert argv[argv.index("--webhook-url") + 1] == f"http://{HOST}:18000/api/v1/billing/webhook"
    # Arguments are seen by every account of the machine.
    assert not any(plan.env[name] in " ".join(argv) for name in ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS"))


def test_another_server_is_not_taken_for_it() -> None:
    with answering({"server": "somebody else"}) as port:
        assert stripe.answers(port) is False
    assert stripe.answers(port) is False
    assert stripe.answers(None) is False
    with answering({"server": "local_stripe"}) as port:
        assert stripe.answers(port) is True


@pytest.mark.parametrize("port", [8003, None])
def test_the_banner_names_it_when_it_runs(port: int | None, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    show(Console(), port=8000, log_dir=tmp_path, dev_pages=True, stripe_port=port, seconds=1)
    line = "Stripe        http://127.0.0.1:8003/  (a local one, whose clock can be moved)"
    assert (line in capsys.readouterr().out) is (port is not None)


@contextmanager
def answering(body: dict[str, Any]) -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: Any) -> None:
            return

    server = HTTPServer((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield int(server.server_port)
    server.shutdown()
    thread.join()
    server.server_close()
