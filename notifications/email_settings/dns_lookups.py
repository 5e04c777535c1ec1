"""Asking the DNS about a domain that somebody named: little, and not for long."""

import ipaddress
from typing import Final

import dns.exception
import dns.nameserver
import dns.resolver
from django.conf import settings

SECONDS: Final = 2.0


class Unknown(Exception):
    """Nobody answered in time, or with an error: that says nothing about the domain."""


def resolver() -> dns.resolver.Resolver:
    """The machine's own resolvers, or those of ``settings.DNS_NAMESERVERS``."""
    made = dns.resolver.Resolver(configure=not settings.DNS_NAMESERVERS)
    if settings.DNS_NAMESERVERS:
        made.nameservers = [_nameserver(text) for text in settings.DNS_NAMESERVERS]
    made.timeout = SECONDS / 2
    made.lifetime = SECONDS
    return made


def _nameserver(text: str) -> dns.nameserver.Nameserver:
    try:
        return dns.nameserver.Do53Nameserver(str(ipaddress.ip_address(text)))
    except ValueError:
        address, _, port = text.rpartition(":")
        return dns.nameserver.Do53Nameserver(address.strip("[]"), int(port))


def texts(asked: dns.resolver.Resolver, name: str) -> list[str]:
    """The TXT records of a name; none when there is no such name. Raises ``Unknown``."""
    return [
        b"".join(record.strings).decode("utf-8", "replace")  # type: ignore[attr-defined]
        for record in _records(asked, name, "TXT")
    ]


def mail_hosts(asked: dns.resolver.Resolver, name: str) -> list[str]:
    """Who takes mail for it; [""] for a domain that says it takes none. Raises ``Unknown``."""
    found = sorted((record.preference, str(record.exchange).rstrip(".")) for record in _records(asked, name, "MX"))  # type: ignore[attr-defined]
    return [host for _, host in found]


def _records(asked: dns.resolver.Resolver, name: str, kind: str) -> list[object]:
    try:
        return list(asked.resolve(name, kind))
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError):
        raise Unknown(name) from None
