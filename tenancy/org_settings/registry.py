"""The registry of settings. Apps fill it in their ``catalog.py``; what is not in it cannot be set."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

from platform_site.api.identity import Identity
from platform_site.catalog import Catalog
from platform_site.permissions import ROLE_RANKS

Kind = Literal["text", "whole", "flag", "choice", "moment", "map"]
# Raises ``ValueError`` with a sentence for the person who sent the value; gives what is stored.
Validator = Callable[[Any], Any]
# Raises ``PlatformError`` when this person may not change the setting to this value.
Guard = Callable[[Identity, Any], None]
# What follows at once from a value that is another one now.
Effect = Callable[[Any], None]
_KEY = re.compile(r"[a-z][a-z0-9_-]*(?:\.[a-z0-9_-]+)+")
MAX_KEY_LENGTH = 80


@dataclass(frozen=True, slots=True)
class OrgSettingDefinition:
    """One thing that a tenant may decide.

    ``default``, ``minimum`` and ``maximum`` are asked each time, because the
    platform's own settings may stand behind them. ``read_role`` and
    ``write_role`` are the lowest roles that may. A ``required`` setting has no
    default to go back to. A ``secret`` is a text that is never shown again.
    ``guard`` is asked before a change, in its transaction, and ``effect`` called
    after it, there as well: for what may not wait for a reaction. ``tenant_field``
    names the column of the tenant's public row where the value lives, for what
    is shown before anybody has signed in.
    """

    key: str
    label: str
    kind: Kind
    default: Callable[[], Any]
    read_role: str = "user"
    write_role: str = "tenant_admin"
    secret: bool = False
    required: bool = False
    choices: tuple[str, ...] = ()
    minimum: Callable[[], int] | None = None
    maximum: Callable[[], int] | None = None
    # Characters of a text.
    max_length: int = 2000
    validate: Validator | None = None
    guard: Guard | None = None
    effect: Effect | None = None
    tenant_field: str = ""

    @property
    def category(self) -> str:
        """The part of the key before the first dot."""
        return self.key.partition(".")[0]


org_settings: Catalog[OrgSettingDefinition] = Catalog("organisation settings")


def org_setting(definition: OrgSettingDefinition) -> OrgSettingDefinition:
    """Declare a setting and keep its name. Raises ``ValueError`` for one that could not work."""
    for wrong, why in _wrongs(definition):
        if wrong:
            raise ValueError(f"{definition.key!r} cannot be a setting: {why}.")
    return org_settings.add(definition)


def _wrongs(definition: OrgSettingDefinition) -> list[tuple[bool, str]]:
    key, kind = definition.key, definition.kind
    unknown_role = not {definition.read_role, definition.write_role} <= ROLE_RANKS.keys()
    return [
        (len(key) > MAX_KEY_LENGTH or not _KEY.fullmatch(key), "no path could hold this key"),
        (definition.category == "by-category", "this word is part of another path"),
        (kind not in get_args(Kind), "there is no such kind"),
        (not definition.label.strip(), "it has no label"),
        (unknown_role, "there is no such role"),
        ((kind == "choice") != bool(definition.choices), "choices belong to a choice"),
        # The tenant's row is no place for secrets: it is shown to people who have not signed in.
        (definition.secret and (kind != "text" or bool(definition.tenant_field)), "a secret is a text of its own"),
    ]
