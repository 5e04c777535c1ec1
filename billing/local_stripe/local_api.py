"""What only the local server has, under /_local: the clock, failures, and paying without the page."""

import hmac
import json
from typing import Any

from billing.local_stripe.errors import Refusal
from billing.local_stripe.faults import Fault, Faults
from billing.local_stripe.http import Request, Response, as_json
from billing.local_stripe.steering import Steering

Json = dict[str, Any]


class LocalApi:
    """JSON in and out. The same key as for the API, so that no web page can call it from a browser."""

    def __init__(self, steering: Steering, faults: Faults, key: str) -> None:
        self._steering = steering
        self._faults = faults
        self._key = key

    def answer(self, request: Request) -> Response:
        if (request.method, request.path) == ("GET", "/_local/ready"):
            return as_json(200, {"server": "local_stripe"})
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self._key.encode()):
            return as_json(401, {"error": "The API key is needed here as well."})
        try:
            return as_json(200, self._do(request))
        except Refusal as refusal:
            return as_json(refusal.status, refusal.body())
        except (ValueError, TypeError) as error:
            return as_json(400, {"error": str(error)})

    def _do(self, request: Request) -> Json:
        given = json.loads(request.body) if request.body else {}
        if not isinstance(given, dict):
            raise ValueError("An object is needed.")
        match request.method, request.path:
            case "GET", "/_local/clock":
                return self._clock()
            case "POST", "/_local/clock":
                return self._move(given)
            case "GET", "/_local/faults":
                return {"faults": self._faults.shown()}
            case "POST", "/_local/faults":
                self._faults.add(Fault(**given))
                return {"faults": self._faults.shown()}
            case "DELETE", "/_local/faults":
                self._faults.clear()
                return {"faults": []}
            case "POST", "/_local/pay":
                return {"url": self._steering.pay(**given)}
            case "POST", "/_local/pay_invoice":
                return {"status": self._steering.pay_invoice(**given)["status"]}
        raise Refusal(f"Unrecognized request URL ({request.method}: {request.path}).", status=404)

    def _move(self, given: Json) -> Json:
        if set(given) == {"advance"}:
            self._steering.advance(seconds=int(given["advance"]))
        elif set(given) == {"to"}:
            self._steering.advance_to(int(given["to"]))
        else:
            raise ValueError('Either {"advance": seconds} or {"to": unix seconds}.')
        return self._clock()

    def _clock(self) -> Json:
        return {"now": self._steering.now(), "next_due": self._steering.next_due()}
