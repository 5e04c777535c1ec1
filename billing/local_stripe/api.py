"""The API under /v1: who may call, what is asked for, and what is answered."""

import base64
import hmac
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from billing.local_stripe import events, forms, idempotency, ids, lifecycle, parameters
from billing.local_stripe.answers import expand
from billing.local_stripe.description import operation_for
from billing.local_stripe.errors import Refusal
from billing.local_stripe.faults import Fault, Faults
from billing.local_stripe.http import Request, Response, as_json
from billing.local_stripe.objects import (
    catalogue,
    checkout_sessions,
    collecting,
    customers,
    invoices,
    payment_methods,
    portal,
    previews,
    schedules,
    subscriptions,
    webhook_endpoints,
)
from billing.local_stripe.routes import ROUTES, Route
from billing.local_stripe.world import World

Json = dict[str, Any]

logger = logging.getLogger(__name__)

# Before it, subscriptions had another shape. What is answered here has the present one.
_OLDEST_VERSION = "2025-09-30"


# Imported with their functions, each of which has entered itself into ROUTES.
OFFERING = (
    catalogue,
    checkout_sessions,
    collecting,
    customers,
    events,
    invoices,
    payment_methods,
    portal,
    previews,
    schedules,
    subscriptions,
    webhook_endpoints,
)


@dataclass(frozen=True, kw_only=True)
class Exchange:
    """One request and what was answered, for whoever judges them."""

    method: str
    path: str
    form: str  # the query or the form, as it was sent
    idempotency_key: str | None
    status: int
    body: Json


class Api:
    def __init__(self, world: World, key: str, faults: Faults, on_exchange: Callable[[Exchange], None]) -> None:
        self._world = world
        self._key = key
        self._faults = faults
        self._on_exchange = on_exchange

    def answer(self, request: Request) -> Response:
        taken = self._faults.take(f"{request.method} {request.path}")
        for fault in taken:
            time.sleep(fault.delay)
        failure = next((each for each in taken if each.status is not None or not each.delay), None)
        request_id = f"req_{ids.chance(14)}"
        if failure is not None and failure.timing == "before":
            refusal = failure.refusal()
            return self._sent(request, request_id, refusal.status, refusal.body(), replayed=False)
        try:
            status, body, replayed = self._work(request, request_id)
        except Refusal as refusal:
            status, body, replayed = refusal.status, refusal.body(), False
        except Exception:
            logger.exception("%s %s failed", request.method, request.path)
            error = {"message": "The local server has a mistake; its log tells which.", "type": "api_error"}
            status, body, replayed = 500, {"error": error}, False
        if failure is not None:
            return self._failed_afterwards(request, request_id, failure)
        return self._sent(request, request_id, status, body, replayed=replayed)

    def _failed_afterwards(self, request: Request, request_id: str, failure: Fault) -> Response:
        """What was asked for has happened, and whoever asked does not learn of it."""
        if failure.status is None:
            return Response(is_lost=True)
        refusal = failure.refusal()
        return self._sent(request, request_id, refusal.status, refusal.body(), replayed=False)

    def _work(self, request: Request, request_id: str) -> tuple[int, Json, bool]:
        self._let_in(request)
        found = operation_for(request.method, request.path)
        route = ROUTES.get((found[0].method, found[0].path)) if found else None
        if found is None or route is None:
            message = f"Unrecognized request URL ({request.method}: {request.path})."
            raise Refusal(message, status=404)
        operation, values = found
        params = parameters.read(operation.input, forms.decode(_form_of(request)))
        key = request.headers.get("idempotency-key") if request.method == "POST" else None
        world = self._world
        with world.store.lock:
            world.request_id, world.idempotency_key = request_id, key
            try:
                return self._once(request, route, params, values, key)
            finally:
                world.request_id = world.idempotency_key = None

    def _once(
        self, request: Request, route: Route, params: Json, values: dict[str, str], key: str | None
    ) -> tuple[int, Json, bool]:
        """Everything about one request is one transaction, what fell due before it is another."""
        world = self._world
        with world.store.transaction():
            lifecycle.catch_up(world)
        if key:
            kept = idempotency.kept_answer(world, key, request.method, request.path, params)
            if kept is not None:
                return *kept, True
        try:
            with world.store.transaction():
                try:
                    status, body = 200, expand(world, route.answer(world, params, values), params.get("expand", []))
                except Refusal as refusal:
                    if not refusal.effects_stay:
                        raise
                    status, body = refusal.status, refusal.body()
        except Refusal as refusal:
            # Parameters that were wrong are no result. Stripe keeps none for them either.
            if key and not (refusal.code or "").startswith(("parameter_", "not_offered")):
                with world.store.transaction():
                    args = (request.method, request.path, params, refusal.status, refusal.body())
                    idempotency.keep(world, key, *args)
            raise
        if key:
            with world.store.transaction():
                idempotency.keep(world, key, request.method, request.path, params, status, body)
        return status, body, False

    def _let_in(self, request: Request) -> None:
        given = _key_of(request.headers.get("authorization", ""))
        if not given:
            message = "You did not provide an API key."
            raise Refusal(message, status=401)
        if not hmac.compare_digest(given.encode(), self._key.encode()):
            shown = given if len(given) < 12 else f"{given[:8]}{'*' * 8}{given[-4:]}"
            raise Refusal(f"Invalid API Key provided: {shown}", status=401)
        version = request.headers.get("stripe-version", _OLDEST_VERSION)
        if version < _OLDEST_VERSION:
            raise Refusal(f"The local server answers in the versions from {_OLDEST_VERSION} on, not in {version}.")

    def _sent(self, request: Request, request_id: str, status: int, body: Json, *, replayed: bool) -> Response:
        key = request.headers.get("idempotency-key")
        self._on_exchange(
            Exchange(
                method=request.method,
                path=request.path,
                form=_form_of(request),
                idempotency_key=key,
                status=status,
                body=body,
            )
        )
        headers = {"Request-Id": request_id, "Stripe-Version": self._world.api_version}
        if key and request.method == "POST":
            headers["Idempotency-Key"] = key
        if replayed:
            headers["Idempotent-Replayed"] = "true"
        return as_json(status, body, headers)


def _form_of(request: Request) -> str:
    if request.method == "POST":
        return request.body.decode("utf-8", errors="replace")
    return request.query


def _key_of(header: str) -> str:
    """Of `Bearer key`, or of Basic with the key as the name, as curl's `-u key:` sends it."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest).decode().partition(":")[0]
        except ValueError:
            return ""
    return ""
