"""The program as `make run` starts it, and what only it offers under /_local."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import pytest
import stripe

from billing.local_stripe.server import LocalStripe
from billing.local_stripe.tests.shop import DAY, NOW, Shop
from platform_site.local import stripe as supervised
from platform_site.local.layout import REPOSITORY

pytestmark = pytest.mark.no_django

KEY = "sk_test_local_program"


def call(base: str, method: str, path: str, body: Any = None, key: str | None = KEY) -> tuple[int, Any]:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
    data = None if body is None else json.dumps(body).encode()
    request = Request(f"{base}{path}", data=data, headers=headers, method=method)  # noqa: S310
    try:
        with urlopen(request, timeout=10) as response:  # noqa: S310
            return response.status, json.loads(response.read())
    except HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@pytest.fixture
def program(tmp_path: Path) -> Iterator[str]:
    port = free_port()
    child = subprocess.Popen(
        [sys.executable, "-m", "billing.local_stripe", "--port", str(port), "--state", str(tmp_path / "s.sqlite3")],
        cwd=REPOSITORY,
        # The settings of the platform are named, as by `make run`, and must not be read.
        env={
            "PATH": os.environ["PATH"],
            "STRIPE_SECRET_KEY": KEY,
            "DJANGO_SETTINGS_MODULE": "there.are.none",
        },
    )
    deadline = time.monotonic() + 30
    while not supervised.answers(port) and time.monotonic() < deadline:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{port}"
    child.terminate()
    assert child.wait(20) == 0


def test_it_answers_the_sdk_shows_its_pages_and_moves_its_clock(program: str) -> None:
    client = stripe.StripeClient(KEY, base_addresses={"api": program})
    client.v1.customers.create({"name": "Acme"})
    with urlopen(program, timeout=10) as response:  # noqa: S310
        assert "Acme" in response.read().decode()
    before = call(program, "GET", "/_local/clock")[1]["now"]
    status, answer = call(program, "POST", "/_local/clock", {"advance": 3 * DAY})
    assert status == 200
    assert 0 <= answer["now"] - before - 3 * DAY < 60


def test_it_listens_on_the_loopback_address_only(program: str) -> None:
    port = int(program.rpartition(":")[2])
    with pytest.raises(URLError):
        urlopen(f"http://127.0.0.2:{port}/_local/ready", timeout=5)


def test_the_clock_is_moved_to_a_moment(shop: Shop) -> None:
    server = shop.server
    subscription = shop.subscribe(trial_days=14)
    assert call(server.url, "GET", "/_local/clock", key=server.key) == (200, {"now": NOW, "next_due": NOW + 11 * DAY})
    assert call(server.url, "POST", "/_local/clock", {"to": NOW + 14 * DAY}, key=server.key)[0] == 200
    assert shop.subscription(subscription.id).status == "active"
    wrongs: list[Any] = [{"to": NOW}, {"back": 1}, {"advance": "soon"}, []]
    for wrong in wrongs:
        assert call(server.url, "POST", "/_local/clock", wrong, key=server.key)[0] == 400


def test_failures_and_payments_without_a_page(shop: Shop) -> None:
    server = shop.server
    assert call(server.url, "POST", "/_local/faults", {"status": 500, "times": 2}, key=server.key)[0] == 200
    assert call(server.url, "GET", "/_local/faults", key=server.key)[1]["faults"][0]["times"] == 2
    assert call(server.url, "POST", "/_local/faults", {"status": 1}, key=server.key)[0] == 400
    assert call(server.url, "POST", "/_local/faults", {"stat": 1}, key=server.key)[0] == 400
    assert call(server.url, "DELETE", "/_local/faults", key=server.key)[1] == {"faults": []}
    session = shop.checkout()
    declined = call(server.url, "POST", "/_local/pay", {"session": session.id, "card": "4000000000000002"}, server.key)
    assert (declined[0], declined[1]["error"]["code"]) == (402, "card_declined")
    status, answer = call(server.url, "POST", "/_local/pay", {"session": session.id}, key=server.key)
    assert (status, answer) == (200, {"url": f"http://platform.test/done?session={session.id}"})


def test_without_the_key_nothing_is_moved(server: LocalStripe) -> None:
    for key in (None, "sk_test_other"):
        assert call(server.url, "POST", "/_local/clock", {"advance": DAY}, key=key)[0] == 401
    assert server.now() == NOW
