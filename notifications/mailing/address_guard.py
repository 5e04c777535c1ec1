"""Connecting to a host that a stranger named: only to public addresses.

The name is resolved once, every address it has must be public, and the
connection goes to an address that was looked at, so that a name which means
something else a moment later gains nothing.
"""

import socket
import threading
import time
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, Final

from django.conf import settings

# Ways of writing an IPv4 address as an IPv6 one that lead to it. Python calls some of them global.
_WRAPPING: Final = tuple(
    IPv6Network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")
)
# Site-local and a cloud's metadata service: no address of these is on the internet.
_NOT_PUBLIC: Final = tuple(IPv6Network(text) for text in ("fec0::/10", "fc00::/7", "5f00::/16"))


class AddressNotAllowed(OSError):
    """The host has an address that is not public."""


class NotResolved(OSError):
    """The host has no address, or nobody said it in time."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether it is on the internet, and nothing behind it is elsewhere."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address.scope_id or any(address in network for network in (*_WRAPPING, *_NOT_PUBLIC)):
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def literal(host: str) -> IPv4Address | IPv6Address | None:
    """The address that a host is when it is no name; also as 2130706433 or 0x7f.1, which resolvers read as one."""
    try:
        return ip_address(host.strip("[]"))
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))
    except (OSError, ValueError):
        return None


def resolve(host: str, port: int, timeout: float) -> Sequence[tuple[Any, ...]]:
    """The addresses of a host as ``socket.getaddrinfo`` gives them, all of them allowed.

    Raises ``NotResolved`` or ``AddressNotAllowed``.
    """
    found = _look_up(host, port, timeout)
    if not found:
        raise NotResolved(host)
    if not settings.SMTP_ALLOW_PRIVATE:
        for *_, place in found:
            if not is_public(ip_address(place[0])):
                raise AddressNotAllowed(host)
    return found


def _look_up(host: str, port: int, timeout: float) -> Sequence[tuple[Any, ...]]:
    """In a thread of its own: the system's resolver cannot be told when to give up."""
    found: list[tuple[Any, ...]] = []

    def ask() -> None:
        try:
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError):
            found.clear()

    thread = threading.Thread(target=ask, daemon=True, name="look up a mail server")
    thread.start()
    thread.join(timeout)
    return [] if thread.is_alive() else found


def connect(addresses: Sequence[tuple[Any, ...]], timeout: float) -> socket.socket:
    """A connection to the first of these that takes one; asks no resolver. Raises ``OSError``."""
    give_up = time.monotonic() + timeout
    last: OSError = NotResolved()
    for family, kind, protocol, _, place in addresses:
        left = give_up - time.monotonic()
        if left <= 0:
            raise TimeoutError("No address took a connection in time.")
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(left)
            connection.connect(place)
        except OSError as error:
            connection.close()
            last = error
        else:
            return connection
    raise last
