"""The local Stripe beside the platform: its port, its secrets, and what the platform is told of it.

The server itself is `billing.local_stripe`; here it is only started, like the other servers.
"""

import http.client
import json
import secrets as chance
import socket
from collections.abc import Mapping

from platform_site.local import secrets
from platform_site.local.layout import Layout

HOST = "127.0.0.1"
WEBHOOK_PATH = "/api/v1/billing/webhook"

# So far above the platform's own port, where people find it again.
_ABOVE = 3

_MAKERS = {
    "STRIPE_SECRET_KEY": lambda: f"sk_test_local_{chance.token_hex(16)}",
    "STRIPE_WEBHOOK_SECRETS": lambda: f"whsec_{chance.token_hex(24)}",
}


def is_wanted(env: Mapping[str, str]) -> bool:
    """A key of one's own, or an empty one, which turns billing off, takes its place.

    With a database of one's own the platform may be more than a trial, and gets no Stripe that takes no money.
    """
    return "STRIPE_SECRET_KEY" not in env and not env.get("DATABASE_URL")


def settle(layout: Layout, platform_port: int) -> dict[str, str]:
    """Choose the port and note it where other commands look; answer the variables of the platform."""
    port = _choose_port(platform_port)
    layout.run_dir.mkdir(parents=True, exist_ok=True)
    unfinished = layout.stripe_port_file.with_suffix(".new")
    unfinished.write_text(str(port))
    unfinished.replace(layout.stripe_port_file)
    return _variables(layout, port)


def variables_of_running(layout: Layout) -> dict[str, str]:
    """For a command beside a running `make run`; nothing while no local Stripe runs."""
    port = port_of(layout)
    return {} if port is None else _variables(layout, port)


def port_of(layout: Layout) -> int | None:
    try:
        return int(layout.stripe_port_file.read_text())
    except (FileNotFoundError, ValueError):
        return None


def answers(port: int | None) -> bool:
    """Whether it is our server that answers there."""
    if port is None:
        return False
    client = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        client.request("GET", "/_local/ready")
        response = client.getresponse()
        return response.status == http.client.OK and json.loads(response.read()) == {"server": "local_stripe"}
    except (OSError, http.client.HTTPException, ValueError):
        return False
    finally:
        client.close()


def _variables(layout: Layout, port: int) -> dict[str, str]:
    kept = secrets.ensure(layout.stripe_dir / "secrets.env", _MAKERS)
    return {**{name: kept[name] for name in _MAKERS}, "STRIPE_API_BASE": f"http://{HOST}:{port}"}


def _choose_port(platform_port: int) -> int:
    """Checkout pages that are open keep their address over a restart, as long as the port is free."""
    wanted = platform_port + _ABOVE
    return _free(wanted if wanted < 2**16 else 0) or _free(0) or wanted


def _free(port: int) -> int | None:
    """This port, or for 0 any, when it can be had."""
    try:
        with socket.create_server((HOST, port)) as listener:
            return int(listener.getsockname()[1])
    except OSError:
        return None
