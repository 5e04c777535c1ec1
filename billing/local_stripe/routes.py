"""Which function answers which operation. The modules of `objects` fill the table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from billing.local_stripe.errors import not_offered
from billing.local_stripe.world import World

Json = dict[str, Any]
Handler = Callable[..., Json]

# Every operation takes these, or none of the two does; the description has said already which.
_ALWAYS = frozenset({"expand", "limit", "starting_after", "ending_before", "created"})


@dataclass(frozen=True)
class Route:
    """`handler(world, params, **values of the path)`, and the parameters that it heeds."""

    handler: Handler
    heeds: frozenset[str]

    def answer(self, world: World, params: Json, values: dict[str, str]) -> Json:
        for name in params:
            if name not in self.heeds and name not in _ALWAYS:
                raise not_offered(name)
        return self.handler(world, params, **values)


ROUTES: dict[tuple[str, str], Route] = {}


def offers(method: str, path: str, heeds: str = "") -> Callable[[Handler], Handler]:
    """Enter a function into the table. `heeds` names its parameters, with spaces between them."""

    def enter(handler: Handler) -> Handler:
        ROUTES[method, path] = Route(handler, frozenset(heeds.split()))
        return handler

    return enter
