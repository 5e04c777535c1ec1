"""One effect for one Idempotency-Key: the same request again is answered with what was answered before."""

import hashlib
import json
from typing import Any

from billing.local_stripe.clock import DAY
from billing.local_stripe.errors import Refusal
from billing.local_stripe.world import World

Json = dict[str, Any]

_KEPT_FOR = DAY
_LONGEST = 255


def kept_answer(world: World, key: str, method: str, path: str, params: Json) -> tuple[int, Json] | None:
    """The answer to this key, or None for a new one. Raises when the key stands for another request."""
    if len(key) > _LONGEST:
        raise Refusal(f"Idempotency keys can have at most {_LONGEST} characters.", type="idempotency_error")
    kept = world.store.get("_idempotency", key)
    if kept is None or kept["created"] < world.now() - _KEPT_FOR:
        return None
    if kept["request"] != _digest(method, path, params):
        raise Refusal(
            "Keys for idempotent requests can only be used with the same parameters they were first used with. "
            f"Try using a key other than '{key}' if you meant to execute a different request.",
            type="idempotency_error",
        )
    return kept["status"], kept["body"]


def keep(world: World, key: str, method: str, path: str, params: Json, status: int, body: Json) -> None:
    value = {"created": world.now(), "request": _digest(method, path, params), "status": status, "body": body}
    world.store.add("_idempotency", key, value)


def _digest(method: str, path: str, params: Json) -> str:
    text = json.dumps([method, path, params], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
