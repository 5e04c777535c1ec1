"""``{"t": "bench.query", "seconds": 0.3}``: a query of that length, where the product's own frames have theirs."""

from collections.abc import Mapping
from typing import Any

from platform_site.realtime.connection import Connection
from platform_site.realtime.ports import ClientFrame, client_frames


async def _query(connection: Connection, frame: dict[str, Any]) -> Mapping[str, Any]:
    async with connection.bound() as db:
        await db.fetch("SELECT pg_sleep(%s)", [frame["seconds"]])
    return {}


client_frames.add(ClientFrame("bench.query", _query))
