"""What tests of the registry share."""

import itertools
from typing import Any

from tests.support import Api, data

UNKNOWN = "019aaf1e-5d2c-7a31-9c0e-000000000009"
_ids = itertools.count(1000)


def record(app: str = "sales", entity_type: str = "lead", entity_id: Any = None) -> dict[str, Any]:
    """A record of an app that nothing stands for yet, unless its id is given."""
    return {"app": app, "entityType": entity_type, "entityId": next(_ids) if entity_id is None else entity_id}


def register(somebody: Api, name: str = "Jane Doe", email: str = "", status: int = 201, **more: Any) -> dict[str, Any]:
    body = {"name": name, **record(), **({"email": email} if email else {}), **more}
    return dict(data(somebody.post("/entity-registry/register", body), status))


def auto_link(somebody: Api, email: str, status: int, **more: Any) -> dict[str, Any]:
    return dict(data(somebody.post("/entity-registry/auto-link", {"email": email, **record(), **more}), status))


def link(somebody: Api, canonical_id: str, status: int = 201, **more: Any) -> dict[str, Any]:
    body = {"canonicalId": canonical_id, **record(), **more}
    return dict(data(somebody.post("/entity-registry/link", body), status))


def merge(somebody: Api, winner: str, loser: str, **more: Any) -> dict[str, Any]:
    body = {"winnerId": winner, "loserId": loser, **more}
    return dict(data(somebody.post("/entity-registry/merge", body)))


def undo(somebody: Api, merge_id: str) -> dict[str, Any]:
    return dict(data(somebody.post(f"/entity-registry/merges/{merge_id}/undo")))


def unlink(somebody: Api, link_id: str, query: str = "") -> dict[str, Any]:
    return dict(data(somebody.call("DELETE", f"/entity-registry/links/{link_id}{query}")))


def entity(somebody: Api, canonical_id: str, query: str = "") -> dict[str, Any]:
    return dict(data(somebody.get(f"/entity-registry/{canonical_id}{query}")))


def genealogy(somebody: Api, canonical_id: str) -> list[dict[str, Any]]:
    return list(data(somebody.get(f"/entity-registry/{canonical_id}/genealogy")))


def by_entity(somebody: Api, linked: dict[str, Any], query: str = "") -> Any:
    path = f"/entity-registry/by-entity/{linked['app']}/{linked['entityType']}/{linked['entityId']}"
    return somebody.get(path + query)


def replayed(entries: list[dict[str, Any]]) -> dict[str, str]:
    """Whose each link is, as genealogies or the feed of changes tell it when they are played back.

    A link that is only spoken of, and of which nobody told what it is a link to, does not count. Of what was erased
    the feed says no more than that.
    """
    told: set[str] = set()
    owner: dict[str, str] = {}
    for entry in sorted(entries, key=lambda entry: entry["seq"]):
        op, payload, here = entry["op"], entry["payload"], entry["canonicalIdAtTime"]
        if op == "erased":
            owner = {one: whose for one, whose in owner.items() if whose != here}
        elif not payload:
            continue
        elif op in ("registered", "linked", "auto_linked"):
            told.add(payload["linkId"])
            owner[payload["linkId"]] = here
        elif op in ("unlinked", "moved"):
            owner.pop(payload["linkId"], None)
        elif op in ("merged_in", "merged_away"):
            owner.update(dict.fromkeys(payload["links"], payload.get("winnerId", here)))
        elif op == "unmerged":
            told.update(one["linkId"] for one in payload.get("linkedSince", []))
            owner.update(dict.fromkeys(payload["links"], payload["loserId"]))
    return {one: whose for one, whose in owner.items() if one in told}
