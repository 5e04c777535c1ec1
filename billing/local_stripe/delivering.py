"""Events on their way to the endpoints: signed, in the order in which they were made, again when refused."""

import copy
import http.client
import json
import logging
import threading
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from stripe import WebhookSignature

from billing.local_stripe.objects import webhook_endpoints
from billing.local_stripe.world import World

Json = dict[str, Any]

logger = logging.getLogger(__name__)

# Seconds until the next attempt. Stripe's own go on for three days.
PAUSES = (1, 3, 10, 30, 120, 600, 3_600, 10_800)
_TIMEOUT = 10.0
_IDLE = 1.0


@dataclass(frozen=True)
class Parcel:
    delivery: str
    url: str
    event: Json
    secret: str


def signed(event: Json, secret: str) -> tuple[bytes, dict[str, str]]:
    """The body and the headers that an endpoint gets. Signed now: the clock of the receiver is the real one."""
    text = json.dumps(event, indent=2)
    return text.encode(), {
        "Content-Type": "application/json; charset=utf-8",
        "Stripe-Signature": WebhookSignature.generate_signature_header(text, secret),
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    }


class Deliveries:
    def __init__(self, world: World) -> None:
        self._world = world
        self._news = threading.Event()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="deliveries", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._news.set()
        if self._thread is not None:
            self._thread.join(_TIMEOUT + 1)

    def enqueue(self, event: Json) -> None:
        """In the transaction that made the event."""
        endpoints = webhook_endpoints.wanting(self._world, event["type"])
        event["pending_webhooks"] = len(endpoints)
        for endpoint in endpoints:
            self._add(event["id"], endpoint["id"])
        if endpoints:
            self._news.set()

    def resend(self, event_id: str) -> None:
        event = self._world.find("event", event_id)
        for endpoint in webhook_endpoints.wanting(self._world, event["type"]):
            self._add(event_id, endpoint["id"])
        self._news.set()

    def _add(self, event: str, endpoint: str) -> None:
        value = {"event": event, "endpoint": endpoint, "state": "waiting", "attempts": 0, "due": 0.0, "answer": ""}
        self._world.store.add("_delivery", f"{event}/{endpoint}", value)

    def wait_until_idle(self, timeout: float) -> bool:
        """Whether nothing is waiting any more, which can take as long as the pauses."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            with self._world.store.lock:
                if not any(each["state"] == "waiting" for each in self._world.store.all("_delivery")):
                    return True
            time.sleep(0.01)
        return False

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._news.wait(_IDLE)
            self._news.clear()
            try:
                while not self._stopped.is_set() and (parcel := self._next()) is not None:
                    self._record(parcel, *_post(parcel))
            except Exception:
                # One bad round must not end all deliveries.
                logger.exception("delivering failed")

    def _next(self) -> Parcel | None:
        """The oldest that is due."""
        now = time.time()
        store = self._world.store
        with store.transaction():
            for id, delivery in _waiting(self._world):
                endpoint = store.get("webhook_endpoint", delivery["endpoint"])
                event = store.get("event", delivery["event"])
                if endpoint is None or event is None or endpoint["status"] != "enabled":
                    store.remove("_delivery", id)
                elif delivery["due"] <= now:
                    secret = webhook_endpoints.secret_of(self._world, endpoint["id"])
                    shown = {**event, "api_version": endpoint["api_version"] or event["api_version"]}
                    return Parcel(id, endpoint["url"], copy.deepcopy(shown), secret)
        return None

    def _record(self, parcel: Parcel, is_taken: bool, answer: str) -> None:
        with self._world.store.transaction():
            if self._world.store.get("_delivery", parcel.delivery) is None:
                return
            delivery = self._world.store.touch("_delivery", parcel.delivery)
            delivery["attempts"] += 1
            delivery["answer"] = answer
            if is_taken:
                delivery["state"] = "delivered"
                self._count_down(delivery["event"])
            elif delivery["attempts"] > len(PAUSES):
                delivery["state"] = "given up"
            else:
                delivery["due"] = time.time() + PAUSES[delivery["attempts"] - 1]
        if not is_taken:
            logger.info("%s was not taken: %s", parcel.delivery, answer)

    def _count_down(self, event_id: str) -> None:
        if self._world.store.get("event", event_id):
            event = self._world.store.touch("event", event_id)
            event["pending_webhooks"] = max(0, event["pending_webhooks"] - 1)


def _waiting(world: World) -> list[tuple[str, Json]]:
    waiting = [each for each in world.store.all("_delivery") if each["state"] == "waiting"]
    return [(f"{each['event']}/{each['endpoint']}", each) for each in waiting]


def _post(parcel: Parcel) -> tuple[bool, str]:
    """Whether it was taken, and what was said. Redirects are not followed, as Stripe does not either."""
    body, headers = signed(parcel.event, parcel.secret)
    parts = urlsplit(parcel.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_TIMEOUT)
    try:
        target = parts.path or "/"
        connection.request("POST", f"{target}?{parts.query}" if parts.query else target, body, headers)
        response = connection.getresponse()
        response.read(1024)
        return 200 <= response.status < 300, str(response.status)
    except (OSError, http.client.HTTPException) as error:
        return False, f"{type(error).__name__}: {error}"
    finally:
        connection.close()
