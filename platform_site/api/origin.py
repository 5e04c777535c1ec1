"""The client's address, believed only as far as our own edge vouches for it."""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest


@lru_cache(maxsize=4)
def _networks(proxies: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(proxy, strict=False) for proxy in proxies)


def _trusted(address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in _networks(tuple(settings.TRUSTED_PROXIES)))


def client_address(request: HttpRequest) -> str:
    """The nearest address that is not one of ours, walking ``X-Forwarded-For`` from the right.

    Without ``TRUSTED_PROXIES``, or from a peer outside them, it is the peer's
    own address and the header is not read: anybody can write one.
    """
    return address_behind(request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", ""))


def address_behind(peer: str, forwarded_for: str) -> str:
    """The same for whoever has the two words in another shape than a request."""
    if not settings.TRUSTED_PROXIES or not _trusted(peer):
        return peer
    for hop in reversed(forwarded_for.split(",")):
        address = hop.strip()
        if not address:
            continue
        try:
            ip_address(address)
        except ValueError:
            return peer
        if not _trusted(address):
            return address
        peer = address
    return peer
