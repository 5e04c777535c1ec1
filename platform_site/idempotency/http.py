"""Idempotency-Key for views of a signed-in caller."""

from collections.abc import Callable

from rest_framework.request import Request
from rest_framework.response import Response

from platform_site.api.identity import Identity
from platform_site.errors import MALFORMED_REQUEST, PlatformError
from platform_site.idempotency.models import IdempotencyRecord
from platform_site.idempotency.store import MAX_KEY_LENGTH, Answer, run_once


def idempotency_key(request: Request) -> str:
    """The header's value, or "" when it is not there; raises ``malformed_request`` when it cannot be one."""
    key = request.headers.get("Idempotency-Key", "")
    if len(key) > MAX_KEY_LENGTH or not key.isprintable() or ("Idempotency-Key" in request.headers and not key):
        raise PlatformError(MALFORMED_REQUEST, f"Idempotency-Key must be 1 to {MAX_KEY_LENGTH} printable characters.")
    return key


def answer_once(request: Request, handler: Callable[[], Response]) -> Response:
    """Run ``handler`` once for this caller, path and key; afterwards replay its answer."""
    key = idempotency_key(request)
    made: list[Response] = []
    caller: Identity = request.user  # type: ignore[assignment]

    def work() -> Answer:
        response = handler()
        made.append(response)
        return Answer(response.status_code, response.data)

    answer = run_once(
        IdempotencyRecord,
        scope=f"{caller.user_uuid}\x1f{request.method}\x1f{request.path}",
        key=key,
        body=request.body,
        work=work,
    )
    if not answer.replayed:
        return made[0]
    return Response(answer.data, status=answer.status, headers={"Idempotency-Replayed": "true"})
