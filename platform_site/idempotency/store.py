"""The stored answer of a creating request, in one transaction with what it created."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from django.db import IntegrityError, OperationalError, transaction

from platform_site import errors
from platform_site.errors import PlatformError
from platform_site.idempotency.models import IdempotencyFields
from platform_site.keys import seal, unseal

MAX_KEY_LENGTH = 255


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and bare data of a response; ``replayed`` when it was stored before."""

    status: int
    data: Any
    replayed: bool = False


def run_once(
    table: type[IdempotencyFields],
    *,
    scope: str,
    key: str,
    body: bytes,
    work: Callable[[], Answer],
) -> Answer:
    """Do ``work`` unless it was done for this ``key`` before; then give the stored answer.

    The record is inserted first, so that a second request with the same key
    waits for the first one's transaction. ``scope`` names caller and route.
    Raises ``idempotency_key_reused`` for another body and
    ``idempotency_in_progress`` when the wait took longer than a statement may.
    What ``work`` raises undoes the record as well, so the key can be used again.
    """
    key_hash = hashlib.sha256(f"{scope}\x1f{key}".encode()).digest()
    body_hash = hashlib.sha256(body).digest()
    try:
        with transaction.atomic():
            table.objects.create(  # type: ignore[attr-defined]
                key_hash=key_hash, body_hash=body_hash, status=0, answer=b""
            )
            answer = work()
            sealed = seal(orjson.dumps(answer.data, default=str), answer_place(key_hash))
            table.objects.filter(pk=key_hash).update(status=answer.status, answer=sealed)  # type: ignore[attr-defined]
            return answer
    except IntegrityError:
        stored = _stored(table, key_hash)
        if stored is None:
            raise
    except OperationalError as error:
        if "statement timeout" in str(error):
            raise PlatformError(errors.IDEMPOTENCY_IN_PROGRESS, retry_after=1) from None
        raise
    if bytes(stored.body_hash) != body_hash:
        raise PlatformError(errors.IDEMPOTENCY_KEY_REUSED)
    return Answer(stored.status, orjson.loads(unseal(bytes(stored.answer), answer_place(key_hash))), replayed=True)


def answer_place(key_hash: bytes) -> str:
    """Where an answer is sealed for."""
    return key_hash.hex()


def _stored(table: type[IdempotencyFields], key_hash: bytes) -> IdempotencyFields | None:
    found: IdempotencyFields | None = table.objects.filter(pk=key_hash).first()  # type: ignore[attr-defined]
    return found
