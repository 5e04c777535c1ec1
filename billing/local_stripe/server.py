"""The local Stripe as one object: for the program and, in process, for tests.

with running(LocalStripe()) as server:
    client = stripe.StripeClient(server.key, base_addresses={"api": server.url})
    ...
    server.advance(days=14)
"""

import collections
import copy
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import stripe

from billing.local_stripe.api import Api, Exchange
from billing.local_stripe.clock import Clock
from billing.local_stripe.delivering import Deliveries, signed
from billing.local_stripe.faults import Fault, Faults
from billing.local_stripe.http import Request, Response
from billing.local_stripe.local_api import LocalApi
from billing.local_stripe.objects import portal, webhook_endpoints
from billing.local_stripe.serving import Serving
from billing.local_stripe.steering import Steering
from billing.local_stripe.store import Store
from billing.local_stripe.world import Behaviour, World
from billing.local_stripe.wsgi import Application

if TYPE_CHECKING:
    from billing.local_stripe.pages import Pages

Json = dict[str, Any]

_TICK = 1.0
_EXCHANGES_KEPT = 2_000


class LocalStripe(Steering):
    """A server that is made, then started with `running`.

    `now` is a time that stands still until `advance`; without it the clock runs. `delivers=False` sends nothing by
    itself: a test takes `events()` and hands them in with `signed`. `state` is a file that outlives the server.
    """

    def __init__(
        self,
        *,
        key: str | None = None,
        state: Path | None = None,
        now: int | None = None,
        delivers: bool = True,
        webhook_url: str | None = None,
        webhook_secret: str | None = None,
        behaviour: Behaviour | None = None,
        port: int = 0,
    ) -> None:
        self.key = key or f"sk_test_local_{secrets.token_hex(16)}"
        self.webhook_secret = webhook_secret or f"whsec_{secrets.token_hex(16)}"
        self.exchanges: collections.deque[Exchange] = collections.deque(maxlen=_EXCHANGES_KEPT)
        self.on_exchange: list[Callable[[Exchange], None]] = []
        self.faults = Faults()
        self.store = Store(state)
        self.world = World(
            store=self.store,
            clock=_clock(self.store, now),
            behaviour=behaviour or Behaviour(),
            api_version=stripe.api_version,
        )
        super().__init__(self.world)
        self.deliveries = Deliveries(self.world)
        self._delivers = delivers
        if delivers:
            self.world.on_event = self.deliveries.enqueue
        self._pages: Pages | None = None
        api = Api(self.world, self.key, self.faults, self._note)
        self.application = Application(api, LocalApi(self, self.faults, self.key), self._page)
        self._serving = Serving(self.application, port)
        self.world.base_url = self.url
        self._stopped = threading.Event()
        self._ticking = threading.Thread(target=self._tick, name="clock", daemon=True)
        with self.store.transaction():
            portal.ensure_default(self.world)
            if webhook_url:
                webhook_endpoints.ensure(self.world, webhook_url, self.webhook_secret)

    @property
    def url(self) -> str:
        return self._serving.url

    def start(self) -> None:
        self._serving.start()
        self._ticking.start()
        if self._delivers:
            self.deliveries.start()

    def stop(self) -> None:
        self._stopped.set()
        self._serving.stop()
        if self._ticking.is_alive():
            self._ticking.join()
        self.deliveries.stop()
        self.store.close()

    def client(self, **arguments: Any) -> stripe.StripeClient:
        """Stripe's own SDK, pointed here. Without retries of its own unless they are asked for."""
        arguments.setdefault("max_network_retries", 0)
        return stripe.StripeClient(self.key, base_addresses={"api": self.url}, **arguments)

    def events(self, *types: str, after: str | None = None) -> list[Json]:
        """Oldest first; with `types` only these, with `after` those that follow the event of this id."""
        with self.store.lock:
            found = copy.deepcopy(self.store.all("event"))
        if after is not None:
            found = found[[event["id"] for event in found].index(after) + 1 :]
        return [event for event in found if not types or event["type"] in types]

    def signed(self, event: Json, secret: str | None = None) -> tuple[bytes, dict[str, str]]:
        """Body and headers of a delivery, for a test that hands events in itself."""
        return signed(event, secret or self.webhook_secret)

    def fault(self, **rule: Any) -> None:
        """See `Fault`. `server.fault(status=500, path="POST /v1/customers", timing="after")`"""
        self.faults.add(Fault(**rule))

    def wait_until_delivered(self, timeout: float = 10) -> bool:
        return self.deliveries.wait_until_idle(timeout)

    def _note(self, exchange: Exchange) -> None:
        self.exchanges.append(exchange)
        for listener in list(self.on_exchange):
            listener(exchange)

    def _page(self, request: Request) -> Response:
        if self._pages is None:
            from billing.local_stripe.pages import Pages

            self._pages = Pages(self)
        return self._pages.answer(request)

    def _tick(self) -> None:
        while not self._stopped.wait(_TICK):
            self.catch_up()


@contextmanager
def running(server: LocalStripe) -> Iterator[LocalStripe]:
    server.start()
    try:
        yield server
    finally:
        server.stop()


def _clock(store: Store, now: int | None) -> Clock:
    """After a restart the time goes on from where it had been moved to."""
    kept = store.get("_clock", "offset") or {"offset": 0, "fixed": None}
    if now is not None:
        return Clock(fixed=max(now, kept["fixed"] or 0))
    return Clock(offset=kept["offset"])
