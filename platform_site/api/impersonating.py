"""What support may do while signed in as somebody: data on the view, enforced in one place, closed by default.

A view that declares nothing can be looked at and changes nothing. So what is
written in the name of a person, or about who that person is, what they may and
what they pay, is out of reach until somebody decides otherwise.
"""

from collections.abc import Mapping
from enum import Enum

from platform_site.api.identity import Identity
from platform_site.errors import NOT_WHILE_IMPERSONATING, PlatformError

_READING = frozenset({"GET", "HEAD", "OPTIONS"})


class WhenImpersonated(Enum):
    """How much of a view, or of one method, is open to support that is signed in as somebody."""

    # Looking, by the methods that look.
    READS = "reads"
    # All of it: work on the workspace's records that is seen and can be undone, and methods that change nothing.
    WORKS = "works"
    # It shows what people write to each other: as long as the workspace lets support read that.
    MESSAGES = "messages"


# What a view declares, for all of its methods or by method; a method that is not named has READS.
ImpersonatedRule = WhenImpersonated | Mapping[str, WhenImpersonated]


def refuse_impersonated(declared: ImpersonatedRule, method: str, identity: object) -> None:
    """Raises ``not_while_impersonating``. Takes no query: the session record brings what it needs."""
    if not isinstance(identity, Identity) or not identity.impersonator:
        return
    rule = rule_of(declared, method)
    if rule is WhenImpersonated.READS and method not in _READING:
        raise PlatformError(NOT_WHILE_IMPERSONATING)
    if rule is WhenImpersonated.MESSAGES and not identity.reads_messages:
        context = {"setting": "support.message_access_until"}
        raise PlatformError(
            NOT_WHILE_IMPERSONATING, "This workspace does not let support read messages.", context=context
        )


def rule_of(declared: ImpersonatedRule, method: str) -> WhenImpersonated:
    if isinstance(declared, Mapping):
        # HEAD is a GET without its body.
        return declared.get("GET" if method == "HEAD" else method, WhenImpersonated.READS)
    return declared
