"""E-mail addresses: what is kept, and what two of them are compared by."""

import unicodedata


def email_display(address: str) -> str:
    """The address as its owner writes it, trimmed and in NFKC."""
    return unicodedata.normalize("NFKC", address.strip())


def email_key(address: str) -> str:
    """What makes two addresses the same person: case does not count on either side of the @."""
    return email_display(address).lower()


def masked_address(address: str) -> str:
    """``b***@acme.test``: enough to know it by, too little to write to."""
    # By the last @: of two addresses in one text neither is whole then.
    name, _, domain = address.rpartition("@")
    return f"{name[:1]}***@{domain}"
