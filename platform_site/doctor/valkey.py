"""Valkey: the cache, what is published, and the queue."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, cast
from uuid import uuid4

import redis
from channels.layers import get_channel_layer
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from platform_site import valkey
from platform_site.celery import app
from platform_site.doctor import database
from platform_site.doctor.catalog import VALKEY, Examination, Finding, fine, problem, warning

OLDEST_MAJOR: Final = 7
_SECONDS: Final = 3


def _client(**options: Any) -> redis.Redis:
    """A client of the doctor's own: the platform's gives up sooner, and remembers that it did."""
    made: redis.Redis = redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=_SECONDS,
        socket_connect_timeout=_SECONDS,
        retry=Retry(NoBackoff(), 0),
        **options,
    )
    return made


def _info(section: str) -> dict[str, Any]:
    with _client() as client:
        return cast("dict[str, Any]", client.info(section))


def reachable() -> Finding:
    with _client() as client:
        client.ping()
    return fine("Valkey answers.")


def version() -> Finding:
    info = _info("server")
    # Valkey says which Redis it is like, and which Valkey it is.
    product, told = ("Valkey", info["valkey_version"]) if "valkey_version" in info else ("Redis", info["redis_version"])
    if int(str(told).split(".")[0]) < OLDEST_MAJOR:
        return problem(f"{product} {told} is too old.", "Move to Valkey or Redis 7 or newer.")
    return fine(f"{product} {told}.")


def eviction() -> Finding:
    info = _info("memory")
    policy, most = str(info["maxmemory_policy"]), int(info["maxmemory"])
    if not most or policy == "noeviction":
        return fine(f"Nothing is thrown away (maxmemory {most or 'without limit'}, {policy}).")
    told = f"When it is full it throws away keys (maxmemory-policy {policy})."
    todo = "Set maxmemory-policy noeviction: the queue and the marks of sessions that ended are among them."
    return problem(told, todo) if policy.startswith("allkeys") else warning(told, todo)


def persistence() -> Finding:
    info = _info("persistence")
    if info.get("rdb_last_bgsave_status", "ok") != "ok" or info.get("aof_last_write_status", "ok") != "ok":
        return problem("The last attempt to write its data to disk failed.", "Look at its log and its disk.")
    if int(info.get("aof_enabled", 0)):
        return fine("It keeps its data in an append-only file.")
    if _saves():
        return fine("It keeps snapshots of its data.")
    return warning(
        "It keeps nothing over a restart.", "Set appendonly yes: rate limits and queued nudges are forgotten otherwise."
    )


def _saves() -> bool:
    with _client() as client:
        try:
            return bool(cast("dict[str, str]", client.config_get("save")).get("save"))
        except redis.exceptions.ResponseError:
            # Managed servers keep their settings to themselves, and their data as well.
            return True


def clock() -> Finding:
    with _client() as client:
        client.ping()
        before = database.now()
        seconds, micros = cast("tuple[int, int]", client.time())
        after = database.now()
    return database.skew(datetime.fromtimestamp(seconds + micros / 1_000_000, UTC), before, after, "Valkey")


def publishing() -> Finding:
    """A message that is published comes back, as frames for sockets do."""
    name, word = valkey.key("doctor", uuid4().hex), uuid4().hex
    with _client() as client, client.pubsub(ignore_subscribe_messages=False) as heard:
        heard.subscribe(name)
        heard.get_message(timeout=_SECONDS)
        client.publish(name, word)
        message = heard.get_message(timeout=_SECONDS)
    if message is None or message["data"] != word.encode():
        return problem("What is published does not come back.", "Let the user of REDIS_URL use all channels (ACL &*).")
    return fine("What is published comes back.")


def channel_layer() -> Finding:
    word = uuid4().hex

    async def there_and_back() -> str:
        layer: Any = get_channel_layer()
        name = await layer.new_channel("doctor")
        async with asyncio.timeout(_SECONDS):
            receiving = asyncio.ensure_future(layer.receive(name))
            # The layer subscribes when somebody begins to receive.
            while not receiving.done():
                await layer.send(name, {"type": "doctor", "word": word})
                await asyncio.wait([receiving], timeout=0.1)
        message = await receiving
        if hasattr(layer, "flush"):
            await layer.flush()
        return str(message["word"])

    try:
        came = asyncio.run(there_and_back())
    except TimeoutError:
        came = ""
    if came != word:
        return problem("A message through the channel layer does not arrive.", "Look at CHANNEL_LAYERS and REDIS_URL.")
    return fine("A message through the channel layer arrives.")


def broker() -> Finding:
    with app.connection_for_write(connect_timeout=_SECONDS, transport_options={"max_retries": 0}) as queue:
        queue.ensure_connection(max_retries=0, timeout=_SECONDS)
    return fine("The queue can be reached.")


def _examination(name: str, look: Callable[[], Finding]) -> Examination:
    return Examination(f"valkey.{name}", look, (VALKEY,))


EXAMINATIONS: Final = (
    Examination(VALKEY, reachable),
    _examination("version", version),
    _examination("eviction", eviction),
    _examination("persistence", persistence),
    _examination("clock", clock),
    _examination("publishing", publishing),
    _examination("channel_layer", channel_layer),
    # The queue may be on another server.
    Examination("valkey.broker", broker),
)
