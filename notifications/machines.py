"""Who opens mails without reading them: programs that look into each mail before its reader does."""

from ipaddress import ip_address, ip_network
from typing import Final

# What loads pictures for Apple's mail programs says only this, whoever reads.
_MASK: Final = "Mozilla/5.0"
_APPLE: Final = ip_network("17.0.0.0/8")


def looks_like_a_machine(*, user_agent: str, address: str = "", method: str = "GET", purpose: str = "") -> bool:
    """``purpose`` is of a request that a browser makes in advance."""
    return method == "HEAD" or user_agent.strip() in ("", _MASK) or "prefetch" in purpose.lower() or _is_apple(address)


def _is_apple(address: str) -> bool:
    try:
        return ip_address(address) in _APPLE
    except ValueError:
        return False
