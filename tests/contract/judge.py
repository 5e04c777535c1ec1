"""The running platform against its own OpenAPI document, by schemathesis.

What the two tests of this folder share. They are a file each, so that they can
run side by side.
"""

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from billing.local_stripe.server import LocalStripe, running
from tests.contract.running import ROOT, running_platform
from tests.support import COMPANY, OTHER_COMPANY, PASSWORD, database_environment, scaled

EXAMPLES = scaled(3, 300)
SEEDS = scaled(1, 5)
MARKS = [pytest.mark.contract, pytest.mark.commits, pytest.mark.timeout(scaled(900, 3600))]


@dataclass
class Run:
    """The platform on its port, and what schemathesis needs to know about it."""

    url: str
    directory: Path
    environment: dict[str, str]

    def check(self, mode: str, seed: int) -> tuple["subprocess.CompletedProcess[str]", dict[str, Counter[int]]]:
        """Run schemathesis; its result, and per operation how often which status came."""
        counts = self.directory / f"{mode}-{seed}.jsonl"
        counts.touch()
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", f"{self.url}/api/schema"),
                *("--mode", mode, "--max-examples", str(EXAMPLES), "--seed", str(seed)),
                *("--continue-on-failure", "--warnings", "off", "--no-color"),
            ],
            cwd=ROOT,
            env={
                **self.environment,
                "CONTRACT_PLAN": str(self.directory / "plan.json"),
                "CONTRACT_IDENTITIES": str(self.directory / "identities.json"),
                "CONTRACT_COUNTS": str(counts),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        return done, _by_operation(counts)


def _by_operation(counts: Path) -> dict[str, Counter[int]]:
    found: dict[str, Counter[int]] = defaultdict(Counter)
    for line in counts.read_text().splitlines():
        call = json.loads(line)
        found[call["operation"]][call["status"]] += 1
    return found


@pytest.fixture
def run(committed: str, tmp_path: Path) -> Iterator[Run]:
    """A platform that serves two tenants, with tokens that outlive the run; its Stripe tells it nothing."""
    with running(LocalStripe(delivers=False)) as stripe:
        yield from _run(committed, tmp_path, stripe)


def _run(committed: str, tmp_path: Path, stripe: LocalStripe) -> Iterator[Run]:
    environment = {
        **database_environment(committed),
        # A mail provider that reports.
        "ANYMAIL_POSTMARK_SERVER_TOKEN": "none",
        "ANYMAIL_WEBHOOK_SECRET": "postmark:a-password",
        "STRIPE_SECRET_KEY": stripe.key,
        "STRIPE_API_BASE": stripe.url,
        "STRIPE_WEBHOOK_SECRETS": stripe.webhook_secret,
        "DEBUG": "1",
        "RATE_LIMITS": "off",
        "ACCESS_TOKEN_SECONDS": "36000",
        # People sign in again and again; the sign-ins of one case must not push out the run's own session.
        "SESSIONS_PER_USER": "100000",
        "LOG_LEVEL": "WARNING",
        "REAUTH_SECONDS": "36000",
    }
    subprocess.run(
        [sys.executable, "manage.py", "billing_sync_catalogue", "--create"],
        cwd=ROOT,
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
    )
    with running_platform(environment, tmp_path / "platform.log") as url:
        _prepare(url, tmp_path)
        yield Run(url, tmp_path, environment)


def _prepare(url: str, directory: Path) -> None:
    with httpx.Client(base_url=f"{url}/api/v1", timeout=60) as api:
        people = {
            slug: {"email": f"admin@{slug}.test", "password": PASSWORD, "tenantSlug": slug}
            for slug in (COMPANY, OTHER_COMPANY)
        }
        tokens = {
            slug: api.post("/auth/login", json=people[slug]).json()["data"]["accessToken"]
            for slug in (COMPANY, OTHER_COMPANY)
        }
    (directory / "plan.json").write_text(json.dumps({"api": f"{url}/api/v1", **people}))
    (directory / "identities.json").write_text(
        json.dumps(
            {
                "auth": [
                    {"name": slug, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {token}"}]}
                    for slug, token in tokens.items()
                ]
            }
        )
    )


def documented(url: str) -> set[str]:
    document: dict[str, Any] = httpx.get(f"{url}/api/schema").json()
    return {operation["operationId"] for path in document["paths"].values() for operation in path.values()}


def table(found: dict[str, Counter[int]]) -> str:
    return "\n".join(f"{operation:28} {dict(sorted(found[operation].items()))}" for operation in sorted(found))
