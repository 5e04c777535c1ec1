"""Events of the API: listed and read."""

from typing import Any

from billing.local_stripe.answers import page
from billing.local_stripe.routes import offers
from billing.local_stripe.world import World

Json = dict[str, Any]


@offers("GET", "/v1/events", "type types")
def list_(world: World, params: Json) -> Json:
    wanted = params.get("types", [params["type"]] if "type" in params else [])
    found = world.store.all("event")
    if wanted:
        found = [each for each in found if any(_fits(each["type"], type) for type in wanted)]
    return page(world, params, "/v1/events", found)


@offers("GET", "/v1/events/{id}")
def retrieve(world: World, params: Json, id: str) -> Json:
    return world.find("event", id)


def _fits(type: str, wanted: str) -> bool:
    """`customer.*` names a group of types."""
    return type == wanted or (wanted.endswith("*") and type.startswith(wanted[:-1]))
