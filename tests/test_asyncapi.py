"""The AsyncAPI document is committed, and says the same as the page for people, the server and the clients."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from clients.python import core_realtime
from platform_site.realtime import asyncapi, frames
from platform_site.realtime.protocol import Close

pytestmark = pytest.mark.no_django

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "realtime.md").read_text()


@pytest.fixture(scope="module")
def document() -> Any:
    return asyncapi.document(json.loads(asyncapi.OPENAPI.read_text()))


def rows(heading: str) -> Iterator[list[str]]:
    """Cells of the table under a heading of docs/realtime.md, without its head."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("|")]
    assert len(table) > 3, heading
    for line in table[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def kinds_and_fields(heading: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for kinds, fields, *_ in rows(heading):
        names = re.findall(r"`([^`]+)`", kinds)
        first = names[0].rpartition(".")[0]
        for name in names:
            found[first + name if name.startswith(".") else name] = set(re.findall(r"`([a-zA-Z]+)`", fields))
    return found


def described(document: Any, operation: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for message in document["operations"][operation]["messages"]:
        name = message["$ref"].rpartition("/")[2]
        schema = document["components"]["schemas"][name]
        found[document["components"]["messages"][name]["name"]] = set(schema["properties"]) - {"t"}
    return found


def test_the_committed_document_is_the_generated_one() -> None:
    generated = asyncapi.written(json.loads(asyncapi.OPENAPI.read_text()))
    assert asyncapi.DOCUMENT.read_text() == generated, (
        "The socket changed: run `make asyncapi`, read the diff, commit it."
    )


def test_the_document_has_the_frames_and_fields_of_the_page_for_people(document: Any) -> None:
    assert described(document, "hear") == kinds_and_fields("Frames to the server")
    told = kinds_and_fields("Frames from the server")
    # Its fields stand further up on the page.
    sample = re.search(r'\{"t": "ready",.*?\}\n', PAGE, re.DOTALL)
    assert sample is not None
    told["ready"] = set(json.loads(sample[0])) - {"t"}
    assert described(document, "say") == told


def test_the_document_has_the_close_codes_of_the_page_and_of_the_server(document: Any) -> None:
    codes = set(document["channels"]["socket"]["x-close-codes"])
    assert codes == {code for code, _ in rows("When it ends")}
    assert codes >= {str(code) for name, code in vars(Close).items() if name.isupper()}


def test_both_clients_know_every_frame_of_the_server(document: Any) -> None:
    # Of these two nothing follows: any frame says that the server lives.
    answered_by_living = {"ping", "pong"}
    kinds = set(described(document, "say")) - answered_by_living
    assert set(core_realtime._KINDS) == kinds
    script = (ROOT / "clients" / "javascript" / "core-realtime.js").read_text()
    table = script.partition("#kinds = {")[2].partition("\n  };")[0]
    assert set(re.findall(r'^    "?([a-zA-Z.]+)"?: \(', table, re.MULTILINE)) == kinds


def test_every_schema_is_one_and_every_reference_leads_somewhere(document: Any) -> None:
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.Draft202012Validator({**schema, "components": document["components"]})
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)):
        found = document
        for part in reference.split("/"):
            found = found[part]
        assert found


def test_what_rest_gives_hides_no_shape_of_the_document(document: Any) -> None:
    openapi = json.loads(asyncapi.OPENAPI.read_text())["components"]["schemas"]
    ours = {frame.__name__ for frame in (*frames.TO_SERVER, *frames.FROM_SERVER)}
    for name in ours & set(openapi):
        assert document["components"]["schemas"][name] != openapi[name], name
    for name in frames.FROM_REST:
        assert document["components"]["schemas"][name] == openapi[name]


def test_every_frame_says_what_it_is_for(document: Any) -> None:
    for name, message in document["components"]["messages"].items():
        assert message["summary"], name
        assert document["components"]["schemas"][name]["properties"]["t"] == {"enum": [message["name"]]}
