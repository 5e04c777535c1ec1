"""What processes that answer do before the first request."""

import gc
import json
import sys
from typing import Any

import pytest

from tests.forked import run_forked

pytestmark = [pytest.mark.django_db]


def load(application: str) -> None:
    __import__(application)
    tell()


def serve(application: str) -> None:
    from platform_site.realtime import serving

    class Told(serving.Server):
        async def serve(self, sockets: Any = None) -> None:
            tell()
            self.started = True

    serving.Server = Told  # type: ignore[misc]
    serving.serve(application, host="127.0.0.1", port=0)


def tell() -> None:
    sys.stdout.write(json.dumps({"kept": gc.get_freeze_count(), "views": "chat.api.urls" in sys.modules}) + "\n")
    sys.stdout.flush()


@pytest.mark.parametrize(
    ("start", "application", "views"),
    [
        (load, "platform_site.wsgi", True),
        (serve, "platform_site.asgi", True),
        # Whoever serves nothing but sockets has no use for them.
        (serve, "platform_site.realtime_asgi", False),
    ],
)
def test_what_is_loaded_is_left_out_of_collections(start: Any, application: str, views: bool) -> None:
    code, out, err = run_forked(start, application, database="none", seconds=60)
    assert code == 0, err
    told = json.loads(out.splitlines()[-1])
    assert told["kept"] > 100_000
    assert told["views"] == views
