"""The one screen that is shown when everything is ready."""

import os
from collections.abc import Sequence
from pathlib import Path

from platform_site.local.console import Console

_WIDTH = 74


def show(
    console: Console, *, port: int, log_dir: Path, dev_pages: bool, stripe_port: int | None, seconds: float
) -> None:
    url = f"http://127.0.0.1:{port}"
    rule = console.paint("=" * _WIDTH, "32")
    console.say(f"\n{rule}")
    console.say(console.paint(f"  The Core Platform is ready after {seconds:.1f} s", "1;32"))
    for rows in (_places(url, dev_pages, stripe_port), _SIGN_INS, _handling(log_dir)):
        console.say()
        for label, value in rows:
            console.say(f"  {label:<14}{value}")
    console.say(f"{rule}\n")


def _places(url: str, dev_pages: bool, stripe_port: int | None) -> Sequence[tuple[str, str]]:
    places = [
        ("Platform", url),
        ("API docs", f"{url}/api/docs"),
        ("Admin", f"{url}/admin/"),
        ("Health", f"{url}/api/v1/health"),
    ]
    if dev_pages:
        places += [(name, f"{url}/dev/{name.lower()}") for name in ("Chat", "Billing", "Setup")]
        places.append(("Mailbox", f"{url}/dev/mail"))
    if stripe_port is not None:
        places.append(("Stripe", f"http://127.0.0.1:{stripe_port}/  (a local one, whose clock can be moved)"))
    return places


_SIGN_INS = (
    ("Workspace", "demo"),
    ("  admin", "admin@demo.test   /  demo-admin-pass"),
    ("  member", "member@demo.test  /  demo-member-pass"),
    ("Staff", "staff@platform.test  /  demo-staff-pass   (for the admin)"),
)


def _handling(log_dir: Path) -> Sequence[tuple[str, str]]:
    relative = os.path.relpath(log_dir)
    shown = str(log_dir) if relative.startswith("..") else relative
    return [("Logs", f"{shown}/"), ("Stop", "Ctrl-C")]
