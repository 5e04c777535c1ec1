"""One consumer per socket, one group per channel."""

from typing import Any

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import connection


class Chat(AsyncWebsocketConsumer):
    """Nobody signs in here, which the product's sockets do."""

    async def connect(self) -> None:
        self.group = self.scope["url_route"]["kwargs"]["group"]
        await self.channel_layer.group_add(self.group, self.channel_name)
        await self.accept()

    async def disconnect(self, code: int) -> None:
        await self.channel_layer.group_discard(self.group, self.channel_name)

    async def receive(self, text_data: str = "", bytes_data: bytes = b"") -> None:
        """Whatever it says: a query of that many seconds."""
        await database_sync_to_async(_query)(float(text_data))
        await self.send(text_data="done")

    async def chat_message(self, event: dict[str, Any]) -> None:
        await self.send(text_data=event["text"])


def _query(seconds: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(%s)", [seconds])
