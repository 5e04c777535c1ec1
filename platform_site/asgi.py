"""One port: sockets to Channels, HTTP to the WSGI app on a small fixed pool of threads."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "platform_site.settings")
_wsgi = get_wsgi_application()

from channels.routing import ProtocolTypeRouter  # noqa: E402 - Django must be set up first

from platform_site import tracing  # noqa: E402
from platform_site.http_bridge import Bridge  # noqa: E402
from platform_site.long_lived import load_views  # noqa: E402
from platform_site.metrics.serving import with_metrics  # noqa: E402
from platform_site.realtime.application import SocketApplication  # noqa: E402

tracing.start("all")
load_views()
sockets = SocketApplication()
_http = Bridge(with_metrics(_wsgi, "all", sockets.hub.metrics.as_text), beside=sockets)
application = ProtocolTypeRouter({"http": _http, "lifespan": _http, "websocket": sockets})
