from collections.abc import Callable, Iterator

import pytest
import redis

from platform_site.local.layout import Layout
from platform_site.local.owner_lock import InUse
from platform_site.local.server import Profile
from platform_site.local.standalone import Standalone
from platform_site.local.valkey import ValkeyServer

pytestmark = pytest.mark.no_django

MakeValkey = Callable[[Profile], Standalone]


@pytest.fixture
def valkey(home: Layout) -> Iterator[MakeValkey]:
    made = []

    def make(profile: Profile) -> Standalone:
        made.append(Standalone(ValkeyServer(home, profile), home.log_dir / "valkey.log"))
        return made[-1]

    yield make
    for server in made:
        server.close()


def _client(server: Standalone) -> redis.Redis:
    return redis.Redis.from_url(server.url)


def test_in_development_the_queue_survives_a_restart(valkey: MakeValkey) -> None:
    server = valkey(Profile.DEVELOPMENT)
    server.start()
    _client(server).rpush("queue", "task")
    server.stop()
    server.start()
    assert _client(server).lpop("queue") == b"task"


def test_in_tests_it_forgets(valkey: MakeValkey) -> None:
    server = valkey(Profile.TEST)
    server.start()
    _client(server).set("key", "value")
    server.stop()
    server.start()
    assert _client(server).get("key") is None


def test_a_killed_one_leaves_a_socket_that_is_not_taken_for_ready(valkey: MakeValkey) -> None:
    server = valkey(Profile.TEST)
    server.start()
    server.kill()
    with pytest.raises(redis.ConnectionError):
        _client(server).ping()
    server.start()
    assert _client(server).ping()


def test_a_directory_has_one_owner(valkey: MakeValkey) -> None:
    valkey(Profile.TEST).start()
    with pytest.raises(InUse):
        valkey(Profile.TEST).start()
