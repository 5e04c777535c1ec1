"""Lists, and what `expand[]` puts in the place of an id."""

import copy
from collections.abc import Iterable, Sequence
from typing import Any

from billing.local_stripe import ids
from billing.local_stripe.errors import Refusal, invalid_parameter, missing_object
from billing.local_stripe.world import World

Json = dict[str, Any]

_DEEPEST = 4


def whole_list(url: str, data: Sequence[Json]) -> Json:
    """A list inside another object, which holds everything."""
    return {"object": "list", "data": list(data), "has_more": False, "url": url}


def page(world: World, params: Json, url: str, found: Iterable[Json]) -> Json:
    """One page of what was found. It comes oldest first and is answered newest first."""
    newest_first = [each for each in found if _is_created_within(each, params.get("created"))][::-1]
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise invalid_parameter("Invalid limit: must be between 1 and 100", "limit")
    if "starting_after" in params:
        newest_first = newest_first[_place(newest_first, params, "starting_after") + 1 :]
    elif "ending_before" in params:
        before = newest_first[: _place(newest_first, params, "ending_before")]
        return _list(url, before[-limit:], len(before) > limit)
    return _list(url, newest_first[:limit], len(newest_first) > limit)


def _list(url: str, data: Sequence[Json], has_more: bool) -> Json:
    return {"object": "list", "data": list(data), "has_more": has_more, "url": url}


def _place(found: Sequence[Json], params: Json, param: str) -> int:
    for place, each in enumerate(found):
        if each["id"] == params[param]:
            return place
    raise missing_object(ids.kind_of(params[param]) or "object", params[param], param)


def _is_created_within(value: Json, wanted: Any) -> bool:
    if wanted is None:
        return True
    created = value["created"]
    if isinstance(wanted, int):
        return bool(created == wanted)
    compare = {
        "gt": created.__gt__,
        "gte": created.__ge__,
        "lt": created.__lt__,
        "lte": created.__le__,
    }
    return all(compare[how](limit) for how, limit in wanted.items())


def expand(world: World, value: Json, paths: Sequence[str]) -> Json:
    """A copy in which each named id has become the object that it names."""
    value = copy.deepcopy(value)
    for path in paths:
        steps = path.split(".")
        if len(steps) > _DEEPEST + (steps[0] == "data"):
            raise Refusal(f"You cannot expand more than {_DEEPEST} levels of a property: {path}")
        _expand_in(world, value, steps, path)
    return value


def _expand_in(world: World, value: Any, steps: list[str], path: str) -> None:
    if isinstance(value, list):
        for each in value:
            _expand_in(world, each, steps, path)
        return
    if not isinstance(value, dict) or (steps[0] not in value and not _is_left_out_at_first(value, steps[0])):
        raise Refusal(f"This property cannot be expanded ({path}).", param="expand")
    if steps[0] not in value:
        value[steps[0]] = _left_out(world, value, steps[0])
    elif isinstance(value[steps[0]], str):
        value[steps[0]] = _named(world, value[steps[0]], path)
    if len(steps) > 1 and value[steps[0]] is not None:
        _expand_in(world, value[steps[0]], steps[1:], path)


def _named(world: World, id: str, path: str) -> Json:
    kind = ids.kind_of(id)
    found = world.store.get(kind, id) if kind else None
    if found is None:
        raise Refusal(f"This property cannot be expanded ({path}).", param="expand")
    return copy.deepcopy(found)


def _is_left_out_at_first(value: Json, name: str) -> bool:
    return (value.get("object"), name) in {("checkout.session", "line_items"), ("customer", "subscriptions")}


def _left_out(world: World, value: Json, name: str) -> Json:
    if name == "line_items":
        kept = world.store.get("_checkout", value["id"]) or {"line_items": []}
        return whole_list(f"/v1/checkout/sessions/{value['id']}/line_items", copy.deepcopy(kept["line_items"]))
    own = [each for each in world.store.all("subscription") if each["customer"] == value["id"]]
    live = [each for each in own if each["status"] not in {"canceled", "incomplete_expired"}]
    return whole_list(f"/v1/customers/{value['id']}/subscriptions", copy.deepcopy(live[::-1]))
