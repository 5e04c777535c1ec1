"""What a real sender puts into metadata is stored, and comes back equal: payloads of GitHub's webhooks."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from events.tests.support import batch, entity, event, listed
from tests.support import Api

EXTRACT = Path(__file__).parent / "data" / "github_payloads.json"
PACKAGE, VERSION = "@octokit/webhooks-examples", "7.6.1"
VAR = Path(__file__).parents[2] / "var" / "reference"


def comes_back(somebody: Api, named: list[tuple[str, Any]]) -> None:
    jane = entity(somebody)
    sent = [
        event(jane, app="github", category="webhook", action=name, messageId=f"g{number}", metadata=payload)
        for number, (name, payload) in enumerate(named)
    ]
    for start in range(0, len(sent), 100):
        assert batch(somebody, sent[start : start + 100])["rejected"] == 0
    shown: dict[str, Any] = {}
    query = "?limit=200"
    while query:
        page = listed(somebody, jane, query)
        shown.update((one["messageId"], one["metadata"]) for one in page["data"])
        query = f"?limit=200&cursor={page['meta']['nextCursor']}" if page["meta"]["nextCursor"] else ""
    assert shown == {one["messageId"]: one["metadata"] for one in sent}


def test_payloads_of_many_types_come_back_equal(alice: Api) -> None:
    named = [(one["name"], one["payload"]) for one in json.loads(EXTRACT.read_text())]
    assert len(named) == 22
    comes_back(alice, named)


@pytest.mark.soak
def test_all_of_them_come_back_equal(alice: Api) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm fetches the payloads, and it is not here.")
    VAR.mkdir(parents=True, exist_ok=True)
    archive = VAR / f"octokit-webhooks-examples-{VERSION}.tgz"
    if not archive.exists():
        subprocess.run([npm, "pack", f"{PACKAGE}@{VERSION}"], cwd=VAR, check=True, capture_output=True, timeout=120)
    unpacked = VAR / f"webhooks-examples-{VERSION}"
    shutil.unpack_archive(archive, unpacked, filter="data")
    types = json.loads((unpacked / "package" / "api.github.com" / "index.json").read_text())
    named = [(one["name"], payload) for one in types for payload in one["examples"]]
    assert len(named) == 329
    comes_back(alice, named)
