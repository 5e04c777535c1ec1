"""``/ws/<group>``: everything that is sent to the group."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.stock_channels.settings")

from django.core.asgi import get_asgi_application

get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - Django must be set up first
from django.urls import path  # noqa: E402

from benchmarks.stock_channels.consumers import Chat  # noqa: E402

application = ProtocolTypeRouter({"websocket": URLRouter([path("ws/<str:group>", Chat.as_asgi())])})
