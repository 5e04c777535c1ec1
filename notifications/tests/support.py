"""What tests of notifications share."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson

from platform_site import valkey
from platform_site.binding import bind
from tests.support import Api

LEAD = "sales.lead_assigned"
VALUES = {"leadName": "Acme Corp", "assignedBy": "Jane Doe", "leadId": 42}


def raise_lead(sender: Api, *people: Api, **more: Any) -> Any:
    """The answer to raising the contract's example event for these people."""
    body = {"eventKey": LEAD, "userIds": [person.user.id for person in people], "data": VALUES, **more}
    return sender.post("/notifications/send", body)


def told(person: Api, query: str = "") -> list[dict[str, Any]]:
    """The person's inbox."""
    answer = person.get(f"/notifications{query}")
    assert answer.status_code == 200, answer.content
    return list(answer.json()["data"])


def deliveries(person: Api) -> list[Any]:
    from notifications.models import Delivery

    with bind(person.tenant.ref):
        return list(Delivery.objects.filter(notification__user_id=person.user.id).order_by("id"))


@contextmanager
def listening(tenant: Any) -> Iterator[list[tuple[dict[str, Any], dict[str, Any]]]]:
    """(header, frame) of everything that is published for the tenant until the end; read them afterwards."""
    frames: list[tuple[dict[str, Any], dict[str, Any]]] = []
    with valkey.client().pubsub() as pubsub:
        pubsub.subscribe(valkey.key("rt", tenant.id.hex))
        assert pubsub.get_message(timeout=2)["type"] == "subscribe"
        yield frames
        while (message := pubsub.get_message(timeout=0.2)) is not None:
            header, _, frame = bytes(message["data"]).partition(b"\n")
            frames.append((orjson.loads(header), orjson.loads(frame or b"{}")))
