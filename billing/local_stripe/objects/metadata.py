"""Metadata: a map of the caller's own, changed key by key."""

from typing import Any

from billing.local_stripe.errors import invalid_parameter

Json = dict[str, Any]


def merge(value: Json, params: Json) -> None:
    """An empty value removes its key, and an empty map removes all of them."""
    if "metadata" not in params:
        return
    given = params["metadata"]
    merged = {**(value.get("metadata") or {}), **given} if given else {}
    value["metadata"] = {name: each for name, each in merged.items() if each != ""}
    if len(value["metadata"]) > 50:
        raise invalid_parameter("Metadata can have at most 50 keys", "metadata")
