"""Rate limits."""

from typing import Any

import pytest
from django.http import HttpResponse

from platform_site import limits, valkey
from platform_site.api.origin import client_address
from platform_site.errors import PlatformError
from tests.support import Api, at_once


@pytest.fixture(autouse=True)
def _small(settings: Any) -> None:
    settings.RATE_LIMITS = {"small": (5, 60), "large": (100, 60)}


def use(name: str, subject: str) -> bool:
    try:
        limits.spend(name, subject)
    except PlatformError:
        return False
    return True


def test_five_of_five_and_no_more() -> None:
    assert [use("small", "a") for _ in range(7)] == [True] * 5 + [False] * 2


def test_each_subject_has_its_own() -> None:
    for _ in range(5):
        use("small", "a")
    assert use("small", "b")


def test_the_refusal_says_when_to_come_back() -> None:
    for _ in range(5):
        limits.spend("small", "a")
    with pytest.raises(PlatformError) as refused:
        limits.spend("small", "a")
    assert refused.value.code.key == "rate_limited"
    assert 55 <= (refused.value.retry_after or 0) <= 60
    assert refused.value.headers["RateLimit-Policy"] == '"small";q=5;w=60'


def test_headers_tell_what_is_left() -> None:
    response = HttpResponse()
    limits.spend("small", "a").add_headers(response)
    assert response["RateLimit-Policy"] == '"small";q=5;w=60'
    assert response["RateLimit"] == '"small";r=4;t=60'


def test_it_is_exact_when_many_come_at_once() -> None:
    done = at_once(40, lambda _: sum(use("large", "crowd") for _ in range(5)))
    assert done.most_at_once > 5
    assert sum(done.results) == 100


def test_forgetting_gives_all_back() -> None:
    for _ in range(5):
        use("small", "a")
    limits.forget("small", "a")
    assert use("small", "a")


def test_the_store_does_not_learn_who_it_was() -> None:
    use("small", "alice@acme.test")
    keys = valkey.client().keys(valkey.key("limit", "*"))
    assert keys
    assert not any(b"alice" in key for key in keys)
    assert all(0 < valkey.client().ttl(key) <= 60 for key in keys)


def test_while_valkey_is_away_a_process_counts_for_itself_and_stricter(settings: Any) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    valkey.close()
    done = at_once(20, lambda _: sum(use("large", "local crowd") for _ in range(5)))
    assert sum(done.results) == 25


class _Request:
    def __init__(self, peer: str, forwarded: str = "") -> None:
        self.META = {"REMOTE_ADDR": peer}
        self.headers = {"X-Forwarded-For": forwarded} if forwarded else {}


@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "address"),
    [
        ([], "1.2.3.4", "9.9.9.9", "1.2.3.4"),
        (["10.0.0.0/8"], "1.2.3.4", "9.9.9.9", "1.2.3.4"),
        (["10.0.0.0/8"], "10.0.0.1", "9.9.9.9", "9.9.9.9"),
        (["10.0.0.0/8"], "10.0.0.1", "6.6.6.6, 9.9.9.9", "9.9.9.9"),
        (["10.0.0.0/8"], "10.0.0.1", "6.6.6.6, 9.9.9.9, 10.0.0.2", "9.9.9.9"),
        (["10.0.0.0/8"], "10.0.0.1", "not an address", "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", "", "10.0.0.1"),
        (["::1/128"], "::1", "2001:db8::7", "2001:db8::7"),
    ],
)
def test_only_our_own_edge_is_believed(
    settings: Any, proxies: list[str], peer: str, forwarded: str, address: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert client_address(_Request(peer, forwarded)) == address  # type: ignore[arg-type]


def test_a_thousand_made_up_addresses_share_one_allowance(database: None, settings: Any) -> None:
    settings.RATE_LIMITS = {**settings.RATE_LIMITS, "check_slug_origin": (30, 60)}
    liar = Api()
    codes = [
        liar.get("/tenants/check-slug/free-name", x_forwarded_for=f"7.7.{n // 250}.{n % 250}").status_code
        for n in range(40)
    ]
    assert codes.count(200) == 30


def test_limits_can_be_switched_off_only_while_developing(settings: Any) -> None:
    from platform_site.checks import check_limits

    settings.RATE_LIMITS_ENABLED = False
    settings.DEBUG = False
    assert [found.id for found in check_limits()] == ["platform.E010"]
    settings.DEBUG = True
    assert check_limits() == []
