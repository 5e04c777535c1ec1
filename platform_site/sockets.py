"""What a socket gets at a path where nothing listens."""

from channels.generic.websocket import AsyncWebsocketConsumer


class Reject(AsyncWebsocketConsumer):
    """Closes at once with 4404, where Channels alone would answer with a traceback."""

    async def connect(self) -> None:
        await self.close(code=4404)
